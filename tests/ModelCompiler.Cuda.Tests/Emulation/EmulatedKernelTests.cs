using ModelCompiler.Backends;
using ModelCompiler.Cuda.Tests.Kernels;
using ModelCompiler.Planning;
using ModelCompiler.Testing.Conformance;

namespace ModelCompiler.Cuda.Tests.Emulation;

/// <summary>The kernels' arithmetic without a GPU: the conformance suite over kernels compiled for the host.</summary>
public sealed class EmulatedKernelTests : IClassFixture<EmulatedKernelTests.Shared>
{
    /// <summary>The operations that have kernels.</summary>
    internal static readonly string[] Names = [.. OperationCases.All.Select(cases => cases.Key)];

    private readonly Shared shared;

    public EmulatedKernelTests(Shared shared) => this.shared = shared;

    public static TheoryData<string> Operations => [.. Names];

    [Theory]
    [MemberData(nameof(Operations))]
    public void AgreesWithReference(string operation)
    {
        HostClang.Require();
        List<string> failures = [];
        foreach (bool backwards in (ReadOnlySpan<bool>)[false, true])
        {
            shared.Gpu.Driver.Backwards = backwards;
            failures.AddRange(OperationCases.All[operation].SelectMany(c => shared.Check.Compare(shared.Bench, c)));
        }

        Assert.True(failures.Count == 0, $"{failures.Count} disagree:\n{string.Join('\n', failures.Take(5))}");
    }

    /// <summary>Kernels compiled once for the whole class.</summary>
    public sealed class Shared : IDisposable
    {
        private readonly Lazy<EmulatedGpu> gpu = new(() => new EmulatedGpu(DType.Float32));
        private readonly Lazy<Bench> bench;

        public Shared() => bench = new Lazy<Bench>(() => new Bench(gpu.Value.Backend));

        internal EmulatedGpu Gpu => gpu.Value;

        internal Bench Bench => bench.Value;

        internal ConformanceCheck Check { get; } = new();

        public void Dispose()
        {
            Check.Dispose();
            if (bench.IsValueCreated)
            {
                bench.Value.Dispose();
            }
        }
    }
}
