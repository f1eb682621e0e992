using ModelCompiler.Backends;
using ModelCompiler.Backends.Cpu;
using ModelCompiler.Cuda;
using ModelCompiler.Cuda.Tests;
using ModelCompiler.Cuda.Tests.Emulation;
using ModelCompiler.Cuda.Tests.Kernels;
using ModelCompiler.Planning;

namespace ModelCompiler.Tests.Models;

internal static partial class ModelRun
{
    private const string Emulated = "emulated";

    /// <summary>The GPU in Float32: emulated where Clang is, and a real one where there is one.</summary>
    public static TheoryData<string> Backends =>
        [.. HostClang.WhyAbsent is null ? new[] { Emulated } : [], .. Gpu.WhyAbsent is null ? new[] { "device" } : []];

    /// <summary>Why there is neither; null where one is.</summary>
    public static string? WhyNoBackend => HostClang.WhyAbsent is null || Gpu.WhyAbsent is null ? null : $"{HostClang.WhyAbsent} {Gpu.WhyAbsent}";

    /// <summary>Creates a backend by name; those of the CPU to compare with.</summary>
    public static IBackend Backend(string name) => name switch
    {
        Emulated => new EmulatedGpu(DType.Float32).Backend,
        "device" => CudaBackend.Open(DType.Float32),
        _ => new CpuBackend(int.Parse(name["cpu-".Length..], System.Globalization.CultureInfo.InvariantCulture)),
    };
}
