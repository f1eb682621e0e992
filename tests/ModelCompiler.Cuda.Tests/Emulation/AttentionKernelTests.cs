using ModelCompiler.Backends;
using ModelCompiler.Cuda.Tests.Kernels;
using ModelCompiler.Planning;
using ModelCompiler.Tensors;
using ModelCompiler.Testing.Conformance;
using ModelCompiler.Testing.Conformance.Cases;
using ModelCompiler.Testing.Reference;

namespace ModelCompiler.Cuda.Tests.Emulation;

/// <summary>
/// Attention's kernels against Reference where the conformance suite does not go: tensor cores in bfloat16, heads too wide for one tile of
/// every kind, several tiles along a sequence, and one new row over a longer cache.
/// </summary>
public sealed class AttentionKernelTests : IClassFixture<AttentionKernelTests.Shared>
{
    internal static readonly string[] Names = [nameof(IBackend.Attention), nameof(IBackend.AttentionGradient), nameof(IBackend.CachedAttention)];

    /// <summary>Always Float32.</summary>
    private const string Statistic = "logSumExp";

    private const int ArenaBytes = 6 << 20;
    private const int OperandBytes = 1 << 20;

    private readonly Shared shared;

    public AttentionKernelTests(Shared shared) => this.shared = shared;

    /// <summary>Batch, sequence, heads, key heads, width, and what the caches hold.</summary>
    public static TheoryData<int, int, int, int, int, int> Shapes => new()
    {
        { 2, 33, 4, 2, 8, 3 },
        { 2, 1, 4, 2, 8, 70 },
        { 1, 150, 2, 1, 64, 9 },
        { 2, 70, 3, 1, 80, 70 },
        { 1, 1, 3, 1, 80, 33 },
        { 1, 140, 2, 1, 128, 1 },
        { 2, 1, 2, 1, 128, 130 },
        { 1, 37, 2, 1, 256, 20 },
        { 1, 1, 2, 1, 256, 12 },
    };

    /// <summary>
    /// Weights and slopes are rounded to bfloat16 before they multiply, results after, each by up to 2⁻⁹. Where rows are not aligned and threads
    /// run backwards, the results are the same bits.
    /// </summary>
    [Theory]
    [MemberData(nameof(Shapes))]
    public void BFloat16AgreesWithReference(int batch, int sequence, int heads, int keyValueHeads, int width, int position)
    {
        HostClang.Require();
        foreach (OperationCase c in AttentionCases.Of(batch, sequence, heads, keyValueHeads, width, [position]))
        {
            Dictionary<string, double[]> values = shared.Check.Values(c, new Variation());
            foreach (Operand operand in c.Operands.Where(o => o.Name != Statistic && values.ContainsKey(o.Name)))
            {
                values[operand.Name] = [.. values[operand.Name].Select(x => (double)HostTransfer.FromBFloat16(HostTransfer.ToBFloat16((float)x)))];
            }

            Handles reference = shared.Reference.Run(c, values, new Variation());
            Dictionary<string, double[]> aligned = Run(c, values, strided: false);
            Dictionary<string, double[]> strided = Run(c, values, strided: true);
            foreach ((string name, double[] actual) in aligned)
            {
                Assert.Equal(actual, strided[name]);
                double[] expected = shared.Reference.Read(reference[name]);
                double magnitude = Math.Max(0.25, Math.Sqrt(expected.Sum(e => e * e) / expected.Length));
                double tolerance = name == Statistic ? 1e-6 : 10.0 / 512;
                for (int i = 0; i < expected.Length; i++)
                {
                    double error = Math.Abs(actual[i] - expected[i]) / (Math.Abs(expected[i]) + magnitude);
                    Assert.True(error <= tolerance, $"{c}: {name}[{i}] is {actual[i]:R}, Reference has {expected[i]:R} (relative error {error:E1})");
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void FloatAgreesWithReference(int batch, int sequence, int heads, int keyValueHeads, int width, int position)
    {
        HostClang.Require();
        IEnumerable<string> failures = AttentionCases.Of(batch, sequence, heads, keyValueHeads, width, [position])
            .SelectMany(c => shared.Check.Compare(shared.Bench, c));
        Assert.Empty(failures);
    }

    private Dictionary<string, double[]> Run(OperationCase c, Dictionary<string, double[]> values, bool strided)
    {
        CudaBackend backend = shared.Gpu.Backend;
        var handles = new Handles();
        long offset = 0;
        foreach (Operand operand in c.Operands)
        {
            DType type = operand.Name == Statistic ? DType.Float32 : DType.BFloat16;
            int gap = strided ? 3 : 0;
            var tensor = new Tensor(offset + gap * type.Size(), operand.Rows, operand.Columns, operand.Columns + gap, type);
            handles[operand.Name] = tensor;
            offset = (tensor.End + 255) / 256 * 256;
            backend.Write(tensor, values.GetValueOrDefault(operand.Name) ?? [.. Enumerable.Repeat(double.NaN, (int)tensor.Count)]);
        }

        shared.Gpu.Driver.Backwards = strided;
        backend.BeginStep(c.Step);
        c.Call(backend, handles);
        var results = new Dictionary<string, double[]>();
        foreach (Operand operand in c.Operands.Where(o => o.IsResult))
        {
            results[operand.Name] = new double[handles[operand.Name].Count];
            backend.Read(handles[operand.Name], results[operand.Name].AsSpan());
        }

        return results;
    }

    /// <summary>Kernels compiled once for the whole class.</summary>
    public sealed class Shared : IDisposable
    {
        private readonly Lazy<EmulatedGpu> gpu = new(() =>
        {
            var created = new EmulatedGpu(DType.BFloat16);
            created.Backend.Allocate(ArenaBytes + created.Backend.Profile.Workspace + OperandBytes);
            created.Backend.UseWorkspace(ArenaBytes, created.Backend.Profile.Workspace + OperandBytes);
            return created;
        });

        private readonly Lazy<Bench> bench = new(() => new Bench(new EmulatedGpu(DType.Float32).Backend));

        internal EmulatedGpu Gpu => gpu.Value;

        internal Bench Bench => bench.Value;

        internal Bench Reference { get; } = new(new ReferenceBackend());

        internal ConformanceCheck Check { get; } = new();

        public void Dispose()
        {
            Check.Dispose();
            Reference.Dispose();
            if (gpu.IsValueCreated)
            {
                gpu.Value.Backend.Dispose();
            }

            if (bench.IsValueCreated)
            {
                bench.Value.Dispose();
            }
        }
    }
}
