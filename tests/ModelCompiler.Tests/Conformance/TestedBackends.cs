using ModelCompiler.Backends;
using ModelCompiler.Backends.Cpu;
using ModelCompiler.Testing.Reference;

namespace ModelCompiler.Tests.Conformance;

/// <summary>The backends that must agree with Reference. Reference is in the list for its in-place and strided forms.</summary>
public sealed class TestedBackends : IConformingBackends
{
    public static IReadOnlyDictionary<string, Func<IBackend>> All { get; } = new Dictionary<string, Func<IBackend>>
    {
        ["reference"] = () => new ReferenceBackend(),
        ["cpu, 1 thread"] = () => new CpuBackend(1),
        ["cpu, 2 threads"] = () => new CpuBackend(2),
        ["cpu, 3 threads"] = () => new CpuBackend(3),
    };
}
