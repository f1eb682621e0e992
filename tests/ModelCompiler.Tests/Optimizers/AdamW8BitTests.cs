using ModelCompiler.Backends;
using ModelCompiler.Backends.Cpu;
using ModelCompiler.Planning;
using ModelCompiler.Quantization;
using ModelCompiler.Tensors;
using ModelCompiler.Testing.Reference;

namespace ModelCompiler.Tests.Optimizers;

/// <summary>The rules of 8-bit AdamW one by one, on both backends that compute.</summary>
public sealed class AdamW8BitTests
{
    private const int Elements = 600;
    private const int Blocks = 3;

    public static TheoryData<string> Backends => ["reference", "cpu"];

    /// <summary>Powers of two make every operation exact, so no rounding can turn a code.</summary>
    [Theory]
    [MemberData(nameof(Backends))]
    public void State_after_a_step_is_the_nearest_codes_of_the_moments(string backend)
    {
        using var rig = new Rig(backend);
        var random = new Random(5);
        double[] gradient = [.. Enumerable.Range(0, Elements).Select(_ => Math.ScaleB(random.Next(2) * 2 - 1, -random.Next(12)))];
        rig.Step(new double[Elements], gradient, Halves(count: 1));

        double[] m = rig.Read(rig.M);
        double[] v = rig.Read(rig.V);
        for (int i = 0; i < Elements; i++)
        {
            double[] block = [.. gradient.Skip(i / 256 * 256).Take(256).Select(Math.Abs)];
            double relative = gradient[i] / block.Max();
            Assert.Equal(DynamicMap.Signed.Encode((float)relative), m[i]);
            Assert.Equal(DynamicMap.Unsigned.Encode((float)(relative * relative)), v[i]);
            Assert.Equal(block.Max() / 2, rig.Read(rig.MScales)[i / 256]);
            Assert.Equal(block.Max() * block.Max() / 2, rig.Read(rig.VScales)[i / 256]);
        }
    }

    [Theory]
    [MemberData(nameof(Backends))]
    public void The_step_uses_the_moments_before_they_are_rounded(string backend)
    {
        using var rig = new Rig(backend);
        var random = new Random(6);
        double[] gradient = [.. Enumerable.Range(0, Elements).Select(_ => (double)(float)(random.NextDouble() - 0.5))];
        double[] weights = [.. gradient.Select(g => (double)(float)(1 - g))];
        var step = new AdamWStep(0.01, 0.9, 0.999, 1e-8, 0.1, 1, 1);

        // From moments of 0 the first step of full and of 8-bit moments are the same, to the bit.
        Assert.Equal(rig.FullStep(weights, gradient, step), rig.Step(weights, gradient, step));
    }

    [Theory]
    [MemberData(nameof(Backends))]
    public void A_gradient_that_is_not_finite_zeroes_its_state_and_leaves_its_weight(string backend)
    {
        using var rig = new Rig(backend);
        double[] gradient = [.. Enumerable.Range(0, Elements).Select(i => 1.0 + i)];
        double[] before = rig.Step([.. gradient.Select(_ => 2.0)], gradient, Halves(count: 1));
        double[] bad = [.. gradient];
        (bad[3], bad[300], bad[599]) = (double.NaN, double.PositiveInfinity, double.NegativeInfinity);
        double[] after = rig.Step(before, bad, Halves(count: 2));

        foreach (int i in new[] { 3, 300, 599 })
        {
            Assert.Equal(before[i], after[i]);
            Assert.Equal(127, rig.Read(rig.M)[i]);
            Assert.Equal(0, rig.Read(rig.V)[i]);
        }

        Assert.All(after.Index().Where(w => w.Index is not (3 or 300 or 599)), w => Assert.True(w.Item < before[w.Index]));
        Assert.All(rig.Read(rig.MScales), scale => Assert.True(double.IsFinite(scale) && scale > 0));
    }

    /// <summary>As bitsandbytes: the sign is that of the bit, so 0 counts as positive.</summary>
    [Theory]
    [MemberData(nameof(Backends))]
    public void A_tiny_negative_moment_keeps_its_sign(string backend)
    {
        using var rig = new Rig(backend);
        double[] gradient = new double[Elements];
        (gradient[0], gradient[1], gradient[2]) = (1, Math.ScaleB(-1, -30), Math.ScaleB(1, -30));
        rig.Step(new double[Elements], gradient, Halves(count: 1));

        Assert.Equal([255.0, 126, 127, 127], rig.Read(rig.M)[..4]);
    }

    [Theory]
    [MemberData(nameof(Backends))]
    public void A_block_of_zeros_stays_zero(string backend)
    {
        using var rig = new Rig(backend);
        double[] weights = rig.Step([.. Enumerable.Repeat(3.0, Elements)], new double[Elements], Halves(count: 1));

        Assert.All(weights, w => Assert.Equal(3, w));
        Assert.Equal(new double[Blocks], rig.Read(rig.MScales));
        Assert.All(rig.Read(rig.M), code => Assert.Equal(127, code));
    }

    /// <summary>Minimizing ½ Σ a (w − target)² over curvatures of a decade: the same way within 1 % of the start, to the same place.</summary>
    [Theory]
    [MemberData(nameof(Backends))]
    public void Follows_full_moments_on_a_quadratic(string backend)
    {
        using var full = new Rig(backend);
        using var codes = new Rig(backend);
        var random = new Random(7);
        double[] curvature = [.. Enumerable.Range(0, Elements).Select(_ => Math.Pow(10, random.NextDouble() - 1))];
        double[] target = [.. Enumerable.Range(0, Elements).Select(_ => 2 * random.NextDouble() - 1)];
        double[] one = new double[Elements];
        double[] other = new double[Elements];
        double start = Loss(one);
        for (int count = 1; count <= 300; count++)
        {
            var step = new AdamWStep(0.02 * (1 - count / 301.0), 0.9, 0.999, 1e-8, 0, count, 1);
            one = full.FullStep(one, Gradient(one), step);
            other = codes.Step(other, Gradient(other), step);
            Assert.Equal(Loss(one), Loss(other), 0.01 * start);
        }

        Assert.True(Loss(one) < 1e-3 * start);
        Assert.True(Loss(other) < 1e-3 * start, $"{Loss(other)} after {start}");

        double[] Gradient(double[] w) => [.. w.Select((x, i) => (double)(float)(curvature[i] * (x - target[i])))];
        double Loss(double[] w) => w.Select((x, i) => curvature[i] * (x - target[i]) * (x - target[i]) / 2).Sum();
    }

    [Fact]
    public void The_state_takes_2_03125_bytes_an_element()
    {
        const int elements = 1 << 20;
        long bytes = 2 * elements + 2L * sizeof(float) * MomentBlock.Count(elements);
        Assert.Equal(2.03125, (double)bytes / elements);
    }

    /// <summary>Betas of one half, corrected for the step's number, with no decay.</summary>
    private static AdamWStep Halves(int count) => new(0.25, 0.5, 0.5, 1e-8, 0, count, 1);

    /// <summary>One parameter with its state.</summary>
    private sealed class Rig : IDisposable
    {
        private readonly IBackend backend;
        private readonly Tensor w;
        private readonly Tensor g;
        private readonly Tensor fullM;
        private readonly Tensor fullV;
        private long end;

        public Rig(string name)
        {
            backend = name == "cpu" ? new CpuBackend(2) : new ReferenceBackend();
            backend.Allocate(1 << 16);
            DType compute = backend.Profile.Compute;
            (w, g, fullM, fullV) = (Place(20, 30, compute), Place(20, 30, compute), Place(20, 30, compute), Place(20, 30, compute));
            (M, V) = (Place(20, 30, DType.UInt8), Place(20, 30, DType.UInt8));
            (MScales, VScales) = (Place(Blocks, 1, compute), Place(Blocks, 1, compute));
        }

        public Tensor M { get; }

        public Tensor V { get; }

        public Tensor MScales { get; }

        public Tensor VScales { get; }

        public double[] Step(double[] weights, double[] gradient, AdamWStep step)
        {
            Write(weights, gradient);
            backend.AdamW8Bit(w, g, M, V, MScales, VScales, step);
            return Read(w);
        }

        public double[] FullStep(double[] weights, double[] gradient, AdamWStep step)
        {
            Write(weights, gradient);
            backend.AdamW(w, g, fullM, fullV, step);
            return Read(w);
        }

        public double[] Read(Tensor tensor)
        {
            var values = new double[tensor.Count];
            backend.Read(tensor, values.AsSpan());
            return values;
        }

        public void Dispose() => backend.Dispose();

        private void Write(double[] weights, double[] gradient)
        {
            backend.Write(w, (ReadOnlySpan<double>)weights);
            backend.Write(g, (ReadOnlySpan<double>)gradient);
        }

        private Tensor Place(int rows, int columns, DType type)
        {
            var tensor = new Tensor(end, rows, columns, columns, type);
            end = backend.Profile.Align(tensor.End);
            return tensor;
        }
    }
}
