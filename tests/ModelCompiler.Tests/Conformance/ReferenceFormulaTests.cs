using ModelCompiler.Backends;
using ModelCompiler.Operations;
using ModelCompiler.Planning;
using ModelCompiler.Tensors;
using ModelCompiler.Testing.Reference;

namespace ModelCompiler.Tests.Conformance;

/// <summary>The oracle's forward operations against values worked out by hand or another way.</summary>
public sealed class ReferenceFormulaTests : IDisposable
{
    private readonly ReferenceBackend backend = new();
    private long next;

    public ReferenceFormulaTests() => backend.Allocate(1 << 20);

    [Fact]
    public void RmsNormOfThreeAndFour()
    {
        Tensor y = Empty(1, 2);
        Tensor rstd = Empty(1, 1);
        backend.RmsNorm(Of(1, 2, 3, 4), Of(1, 2, 1, 10), y, rstd, new NormShape(0));
        double root = Math.Sqrt(12.5);
        Close([3 / root, 40 / root], y);
        Close([1 / root], rstd);
    }

    [Fact]
    public void LayerNormOfOneAndThree()
    {
        Tensor y = Empty(1, 2);
        Tensor statistics = Empty(1, 2);
        backend.LayerNorm(Of(1, 2, 1, 3), Of(1, 2, 2, 5), Of(1, 2, 0.5, 0.25), y, statistics, new NormShape(0));
        Close([-1.5, 5.25], y);
        Close([2, 1], statistics);
    }

    [Fact]
    public void LinearIsRowsTimesRows()
    {
        Tensor y = Empty(2, 2);
        backend.Linear(Of(2, 3, 1, 2, 3, 4, 5, 6), Of(2, 3, 1, 0, -1, 2, 1, 0), y, Of(1, 2, 10, 20), Of(2, 2, 100, 200, 300, 400), 0.5f);
        Close([104, 212, 304, 416.5], y);
    }

    [Fact]
    public void GroupMeansOfThreeAndTheirShares()
    {
        Tensor y = Empty(2, 2);
        backend.GroupMean(Of(2, 6, 1, 2, 6, -1, 0, 4, 3, 3, 3, 0.5, 0, 0.25), y);
        Close([3, 1, 3, 0.25], y);
        Tensor dx = Empty(1, 6);
        backend.GroupMeanGradient(Of(1, 2, 3, -6), dx, Of(1, 6, 10, 20, 30, 40, 50, 60));
        Close([11, 21, 31, 38, 48, 58], dx);
    }

    /// <summary>W = [3 4; 0 0; 1 2], A = [1 1], B = [1; 2; −1] and s = 2: the rows of the sum are [5 6], [4 4] and [−1 0].</summary>
    [Fact]
    public void InverseNormsOfRowsFromTheirProducts()
    {
        Tensor inverse = Empty(1, 3);
        backend.InverseRowNorm(Of(1, 3, 25, 0, 5), Of(3, 1, 1, 2, -1), Of(1, 3, 7, 0, 3), Of(1, 1, 2), inverse, 2);
        Close([1 / Math.Sqrt(61), 1 / Math.Sqrt(32), 1], inverse);
        backend.InverseRowNorm(Of(1, 1, 0.0), Of(1, 1, 0.0), Of(1, 1, 0.0), Of(1, 1, 2), inverse.Slice(0, 1) with { Columns = 1 });
        Close([0], inverse.Slice(0, 1) with { Columns = 1 });
    }

    [Fact]
    public void MagnitudesInThePlaceOfNorms()
    {
        Tensor y = Empty(2, 2);
        backend.Magnitude(Of(2, 2, 3, 4, 5, 6), Of(1, 2, 10, 20), Of(1, 2, 0.5, 0.25), y, Of(1, 2, 1, 2), Of(2, 2, 100, 200, 300, 400));
        Close([116, 222, 326, 432], y);
        Tensor dm = Of(1, 2, 1000, 2000);
        backend.MagnitudeGradient(Of(2, 2, 1, 2, 3, 4), Of(2, 2, 3, 4, 5, 6), Of(1, 2, 0.5, 0.25), dm);
        Close([1009, 2008], dm);
    }

    [Fact]
    public void RowProductsAreAddedToSums()
    {
        Tensor sums = Of(1, 2, 100, 200);
        backend.RowProducts(Of(2, 2, 1, 2, 3, 4), Of(2, 2, 5, 6, 7, 8), sums);
        Close([117, 253], sums);
    }

    /// <summary>|−2 · 3| = 6: a quarter of 8 and three quarters of 6 are 6.5, from which 6 is half away: a half of 1 and a half of 0.5.</summary>
    [Fact]
    public void ImportanceOfOneElement()
    {
        (Tensor sensitivity, Tensor uncertainty) = (Of(1, 1, 8), Of(1, 1, 1));
        backend.Importance(Of(1, 1, -2), Of(1, 1, 3), sensitivity, uncertainty, 0.25f, 0.5f);
        Close([6.5], sensitivity);
        Close([0.75], uncertainty);
    }

    [Fact]
    public void ActivationsAtKnownPoints()
    {
        Tensor y = Empty(1, 2);
        backend.SwiGlu(Of(1, 2, Math.Log(3), 0), Of(1, 2, 4, 7), y);
        Close([3 * Math.Log(3), 0], y);
        backend.Gelu(Of(1, 2, 1, -1), y);
        Close([0.84119199060827, -0.15880800939173], y, 1e-12);
        backend.GeGlu(Of(1, 2, 1, -1), Of(1, 2, 2, 3), y);
        Close([2 * 0.84119199060827, 3 * -0.15880800939173], y, 1e-12);
        backend.SoftCap(Of(1, 2, 2 * Math.Log(3) / 2, 1e9), y, 2);
        Close([2 * 0.5, 2], y, 1e-12);
    }

    /// <summary>A row of weight w counts as w rows; 0 and a negative one count so too.</summary>
    [Fact]
    public void LossOfARowIsItsWeightTimesTheLossOfOne()
    {
        Tensor targets = Ids(3, 0, 1);
        Tensor loss = Of(1, 1, 1);
        backend.CrossEntropy(Of(3, 4, 5, 5, 5, 5, 1, 1, 1, 1, 0, 0, 0, 0), targets, default, loss, Of(3, 1, 2, 0, -0.5));
        Close([1 + 1.5 * Math.Log(4)], loss);
    }

    [Fact]
    public void LossOfEqualLogitsIsTheLogarithmOfTheirNumber()
    {
        Tensor targets = Ids(3, -100, 1);
        Tensor loss = Of(1, 1, 1);
        Tensor logSumExp = Empty(3, 1);
        backend.CrossEntropy(Of(3, 4, 5, 5, 5, 5, 1, 2, 3, 4, 0, 0, 0, 0), targets, logSumExp, loss);
        Close([1 + 2 * Math.Log(4)], loss);
    }

    [Fact]
    public void RotaryTurnsByThePosition()
    {
        backend.BeginStep(new Step(Batch: 1, Sequence: 2, Position: 1));
        Tensor y = Empty(2, 4);
        backend.Rotary(Of(2, 4, 1, 0, 0, 9, 0, 0, 1, 9), y, new RotaryShape(HeadWidth: 4, Width: 2, Theta: 10));
        Close([Math.Cos(1), Math.Sin(1), 0, 9, 0, 0, 1, 9], y);
    }

    /// <summary>Llama 3.1's rule as Transformers writes it, in wavelengths: short ones stay, long ones are stretched by the factor, those between are mixed.</summary>
    [Theory]
    [InlineData(500_000, 32, 1, 4, 8192, 64)]
    [InlineData(10_000, 8, 1.5f, 4, 100, 16)]
    public void RotaryScalesLongWavelengthsAsLlamaDoes(float theta, float factor, float low, float high, int original, int width)
    {
        var scaling = FrequencyScaling.Llama3(factor, low, high, original);
        bool[] seen = new bool[3];
        for (int i = 0; i < width / 2; i++)
        {
            double frequency = 1 / Math.Pow(theta, 2.0 * i / width);
            double wavelength = 2 * Math.PI / frequency;
            double smooth = (original / wavelength - low) / (high - low);
            (int part, double expected) = wavelength > original / low ? (0, frequency / factor)
                : wavelength < original / high ? (1, frequency)
                : (2, (1 - smooth) * frequency / factor + smooth * frequency);
            seen[part] = true;
            Assert.Equal(1, new RotaryShape(width, width, theta, scaling).Frequency(i) / expected, 1e-12);
            Assert.Equal(1, new RotaryShape(width, width, theta, FrequencyScaling.Linear(factor)).Frequency(i) / (frequency / factor), 1e-12);
        }

        Assert.DoesNotContain(false, seen);
    }

    [Fact]
    public void RmsNormNormsEachRunOfChannelsByItself()
    {
        double[] x = Random(4, 2 * 6);
        Tensor y = Empty(2, 6), rstd = Empty(2, 3);
        backend.RmsNorm(Of(2, 6, x), Of(1, 2, 3, 5), y, rstd, new NormShape(0.5f));

        double[] factors = [.. Enumerable.Range(0, 6).Select(i => 1 / Math.Sqrt((x[2 * i] * x[2 * i] + x[2 * i + 1] * x[2 * i + 1]) / 2 + 0.5))];
        Close(factors, rstd);
        Close([.. x.Select((value, i) => value * factors[i / 2] * (i % 2 == 0 ? 3 : 5))], y);
    }

    [Fact]
    public void RotaryTurnsByScaledFrequencies()
    {
        backend.BeginStep(new Step(Batch: 1, Sequence: 2, Position: 1));
        Tensor y = Empty(2, 2);
        backend.Rotary(Of(2, 2, 1, 0, 0, 1), y, new RotaryShape(HeadWidth: 2, Width: 2, Theta: 10, FrequencyScaling.Linear(4)));
        Close([Math.Cos(0.25), Math.Sin(0.25), -Math.Sin(0.5), Math.Cos(0.5)], y);
    }

    /// <summary>Attention through explicit matrices of scores, which the operation must not make.</summary>
    [Fact]
    public void AttentionIsASoftmaxOverTheScoresSoFar()
    {
        const int sequence = 4;
        const int width = 3;
        double[] q = Random(1, 2 * sequence * 2 * width);
        double[] k = Random(2, 2 * sequence * width);
        double[] v = Random(3, 2 * sequence * width);
        backend.BeginStep(new Step(Batch: 2, sequence));
        Tensor o = Empty(2 * sequence, 2 * width);
        backend.Attention(Of(8, 6, q), Of(8, 3, k), Of(8, 3, v), o, default, new AttentionShape(Heads: 2, KeyValueHeads: 1, HeadWidth: 3));

        var expected = new double[o.Count];
        for (int t = 0; t < 8; t++)
        {
            for (int head = 0; head < 2; head++)
            {
                var weights = new double[8];
                for (int s = t / sequence * sequence; s <= t; s++)
                {
                    double score = 0;
                    for (int i = 0; i < width; i++)
                    {
                        score += q[t * 6 + head * width + i] * k[s * 3 + i];
                    }

                    weights[s] = Math.Exp(score / Math.Sqrt(width));
                }

                for (int i = 0; i < width; i++)
                {
                    expected[t * 6 + head * width + i] = weights.Select((weight, s) => weight * v[s * 3 + i]).Sum() / weights.Sum();
                }
            }
        }

        Close(expected, o);
    }

    [Fact]
    public void CachedAttentionTokenByTokenIsAttentionOverTheWhole()
    {
        const int sequence = 5;
        const int capacity = 7;
        double[] q = Random(4, 2 * sequence * 4);
        double[] k = Random(5, 2 * sequence * 2);
        double[] v = Random(6, 2 * sequence * 2);
        Tensor whole = Empty(2 * sequence, 4);
        backend.BeginStep(new Step(Batch: 2, sequence));
        backend.Attention(Of(10, 4, q), Of(10, 2, k), Of(10, 2, v), whole, default, new AttentionShape(Heads: 2, KeyValueHeads: 1, HeadWidth: 2));
        double[] expected = Values(whole);

        Tensor keyCache = Empty(2 * capacity, 2);
        Tensor valueCache = Empty(2 * capacity, 2);
        Tensor o = Empty(2, 4);
        for (int position = 0; position < sequence; position++)
        {
            backend.BeginStep(new Step(Batch: 2, Sequence: 1, position));
            double[] At(double[] source, int columns) =>
                [.. source.AsSpan(position * columns, columns), .. source.AsSpan((sequence + position) * columns, columns)];
            backend.CachedAttention(Of(2, 4, At(q, 4)), Of(2, 2, At(k, 2)), Of(2, 2, At(v, 2)), keyCache, valueCache, o, new AttentionShape(Heads: 2, KeyValueHeads: 1, HeadWidth: 2));
            Close(At(expected, 4), o);
        }
    }

    /// <summary>With constant gradients the corrected moments are g and g², so every step is rate · (sign(g) + decay · w).</summary>
    [Fact]
    public void AdamWWithConstantGradientsStepsByTheRate()
    {
        Tensor w = Of(1, 2, 1, -2);
        Tensor m = Empty(1, 2);
        Tensor v = Empty(1, 2);
        double[] expected = [1, -2];
        for (int count = 1; count <= 3; count++)
        {
            backend.AdamW(w, Of(1, 2, 6, -0.5), m, v, new AdamWStep(0.1, 0.9, 0.99, 0, 0.25, count, GradientScale: 0.5));
            expected = [expected[0] - 0.1 * (1 + 0.25 * expected[0]), expected[1] - 0.1 * (-1 + 0.25 * expected[1])];
            Close(expected, w);
        }
    }

    [Fact]
    public void SquaredNormAdds()
    {
        Tensor sum = Of(1, 1, 1);
        backend.SquaredNorm(Of(2, 2, 1, 2, 3, 4), sum);
        Assert.Equal(31, backend.Read(sum));
    }

    public void Dispose() => backend.Dispose();

    private Tensor Empty(int rows, int columns, DType type = DType.Float64)
    {
        var tensor = new Tensor(next, rows, columns, columns, type);
        next = BackendProfile.Reference.Align(tensor.End);
        return tensor;
    }

    private Tensor Of(int rows, int columns, params double[] values)
    {
        Tensor tensor = Empty(rows, columns);
        backend.Write(tensor, values);
        return tensor;
    }

    private Tensor Ids(params int[] ids)
    {
        Tensor tensor = Empty(ids.Length, 1, DType.Int32);
        backend.Write(tensor, ids);
        return tensor;
    }

    private static double[] Random(int seed, int count)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => 2 * random.NextDouble() - 1)];
    }

    private double[] Values(Tensor tensor)
    {
        var values = new double[tensor.Count];
        backend.Read(tensor, values.AsSpan());
        return values;
    }

    private void Close(double[] expected, Tensor actual, double tolerance = 1e-13)
    {
        double[] values = Values(actual);
        Assert.Equal(expected.Length, values.Length);
        for (int i = 0; i < expected.Length; i++)
        {
            Assert.True(Math.Abs(expected[i] - values[i]) <= tolerance * Math.Max(1, Math.Abs(expected[i])), $"[{i}]: {values[i]:R}, expected {expected[i]:R}");
        }
    }
}
