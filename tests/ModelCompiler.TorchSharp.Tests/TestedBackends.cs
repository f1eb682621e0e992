using ModelCompiler.Backends;
using ModelCompiler.Planning;
using ModelCompiler.Torch;
using TorchSharp;

namespace ModelCompiler.Tests.Conformance;

/// <summary>The backends of this assembly that must agree with Reference.</summary>
public sealed class TestedBackends : IConformingBackends
{
    public static IReadOnlyDictionary<string, Func<IBackend>> All { get; } = Backends();

    /// <summary>So little workspace that most operations take their rows in turn.</summary>
    public static TorchBackend WithLittleWorkspace() => new(torch.CPU, BackendProfile.TorchSharp(isHostMemory: true) with { ScratchPerThread = 32 << 10 });

    private static Dictionary<string, Func<IBackend>> Backends()
    {
        var backends = new Dictionary<string, Func<IBackend>>
        {
            ["torchsharp, cpu"] = () => new TorchBackend(),
            ["torchsharp, cpu, little workspace"] = WithLittleWorkspace,
        };
        if (torch.cuda.is_available())
        {
            backends.Add("torchsharp, cuda", () => new TorchBackend(torch.CUDA));
        }

        return backends;
    }
}
