using System.CommandLine;
using ModelCompiler.Backends;
using ModelCompiler.Backends.Cpu;
using ModelCompiler.CommandLine.Terminal;
using ModelCompiler.Cuda;
using ModelCompiler.Cuda.Driver;
using ModelCompiler.Planning;

namespace ModelCompiler.CommandLine.Options;

/// <summary>The backend the command line asks for.</summary>
internal static class BackendChoice
{
    private const string Cpu = "cpu";
    private const string Cuda = "cuda";

    /// <summary>CUDA with Float32 activations, to compare with other backends.</summary>
    private const string CudaFloat32 = "cuda-float32";

    /// <summary>What it needs of memory. Of a GPU that is known without one.</summary>
    /// <exception cref="UsageException">There is no such backend.</exception>
    public static BackendProfile Profile(ParseResult arguments) => Name(arguments) switch
    {
        Cuda => BackendProfile.Cuda(DType.BFloat16),
        CudaFloat32 => BackendProfile.Cuda(DType.Float32),
        _ => BackendProfile.Cpu(arguments.GetValue(CommonOptions.Threads)),
    };

    /// <summary>The backend itself.</summary>
    /// <exception cref="UsageException">There is no such backend.</exception>
    /// <exception cref="CudaUnavailableException">It is CUDA's, which this machine does not have.</exception>
    public static IBackend Create(ParseResult arguments) => Name(arguments) switch
    {
        Cpu => new CpuBackend(arguments.GetValue(CommonOptions.Threads)),
        _ => CudaBackend.Open(Profile(arguments).Activation),
    };

    private static string Name(ParseResult arguments)
    {
        string given = arguments.GetValue(CommonOptions.Backend)!;
        return given.Equals("torchsharp", StringComparison.OrdinalIgnoreCase)
            ? throw new UsageException(
                "--backend torchsharp is not in this program, which is built without TorchSharp: a program that references ModelCompiler.TorchSharp gives ForTraining a TorchBackend")
            : EnumOption.Require("--backend", given, [Cpu, Cuda, CudaFloat32]);
    }
}
