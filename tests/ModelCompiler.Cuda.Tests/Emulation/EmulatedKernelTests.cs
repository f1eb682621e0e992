using ModelCompiler.Backends;
using ModelCompiler.Cuda.Tests.Kernels;
using ModelCompiler.Tests.Conformance;

namespace ModelCompiler.Cuda.Tests.Emulation;

/// <summary>The kernels' arithmetic without a GPU: the conformance suite over kernels compiled for the host.</summary>
public sealed class EmulatedKernelTests : IClassFixture<EmulatedKernelTests.Shared>
{
    /// <summary>The operations that have kernels.</summary>
    internal static readonly string[] Names =
    [
        nameof(IBackend.Embedding), nameof(IBackend.EmbeddingGradient), nameof(IBackend.LearnedPositions), nameof(IBackend.LearnedPositionsGradient),
        nameof(IBackend.RmsNorm), nameof(IBackend.RmsNormGradient), nameof(IBackend.RmsNormGradientWeight),
        nameof(IBackend.LayerNorm), nameof(IBackend.LayerNormGradient), nameof(IBackend.LayerNormGradientWeight),
        nameof(IBackend.Rotary), nameof(IBackend.RotaryGradient), nameof(IBackend.SwiGlu), nameof(IBackend.SwiGluGradient),
        nameof(IBackend.GeGlu), nameof(IBackend.GeGluGradient), nameof(IBackend.Gelu), nameof(IBackend.GeluGradient),
        nameof(IBackend.Add), nameof(IBackend.Gate), nameof(IBackend.GateGradientWeight), nameof(IBackend.GroupMean), nameof(IBackend.GroupMeanGradient),
        nameof(IBackend.Dropout), nameof(IBackend.SoftCap), nameof(IBackend.SoftCapGradient), nameof(IBackend.CrossEntropy), nameof(IBackend.CrossEntropyGradient),
        nameof(IBackend.SquaredNorm), nameof(IBackend.AdamW), nameof(IBackend.AdamE), nameof(IBackend.AdamW8Bit),
        nameof(IBackend.Copy), nameof(IBackend.LinearGradientBias), nameof(IBackend.InverseRowNorm), nameof(IBackend.Magnitude),
        nameof(IBackend.MagnitudeGradient), nameof(IBackend.ShrinkGates), nameof(IBackend.RowProducts), nameof(IBackend.Importance),
    ];

    private readonly Shared shared;

    public EmulatedKernelTests(Shared shared) => this.shared = shared;

    public static TheoryData<string> Operations => [.. Names];

    [HostClangTheory]
    [MemberData(nameof(Operations))]
    public void AgreesWithReference(string operation)
    {
        List<string> failures = [];
        foreach (bool backwards in (ReadOnlySpan<bool>)[false, true])
        {
            shared.Backend.Backwards = backwards;
            failures.AddRange(OperationCases.All[operation].SelectMany(c => shared.Check.Compare(shared.Bench, c)));
        }

        Assert.True(failures.Count == 0, $"{failures.Count} disagree:\n{string.Join('\n', failures.Take(5))}");
    }

    /// <summary>Kernels compiled once for the whole class.</summary>
    public sealed class Shared : IDisposable
    {
        private readonly Lazy<EmulatedBackend> backend = new(() => new EmulatedBackend());
        private readonly Lazy<Bench> bench;

        public Shared() => bench = new Lazy<Bench>(() => new Bench(backend.Value));

        internal EmulatedBackend Backend => backend.Value;

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
