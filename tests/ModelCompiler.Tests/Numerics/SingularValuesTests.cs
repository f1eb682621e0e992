using FsCheck;
using FsCheck.Fluent;
using ModelCompiler.Adapters;
using ModelCompiler.Numerics;

namespace ModelCompiler.Tests.Numerics;

/// <summary>Matrices are made of a known spectrum, H₁ diag(s) H₂ with reflections H = I − 2 v vᵀ / vᵀv, and rounded to fp32.</summary>
public class SingularValuesTests
{
    private const double Rounding = 1e-6;

    private static readonly Gen<Case> Cases =
        from rows in Gen.Choose(1, 40)
        from columns in Gen.Choose(1, 40)
        from rank in Gen.Choose(1, Math.Min(rows, columns))
        from form in Gen.Elements(Enum.GetValues<Form>())
        from seed in Gen.Choose(0, 1_000_000)
        select new Case(rows, columns, rank, form, seed);

    /// <summary>Eckart and Young 1936: what the best approximation of a rank leaves is the rest of the spectrum.</summary>
    [Fact]
    public void What_is_left_is_the_rest_of_the_spectrum() =>
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(200), Prop.ForAll(Cases.ToArbitrary(), (Action<Case>)AssertDecomposed));

    /// <summary>Larger than what is decomposed exactly.</summary>
    [Theory]
    [InlineData(150, 170, 9, Form.Falling)]
    [InlineData(301, 133, 4, Form.Falling)]
    [InlineData(140, 140, 14, Form.Deficient)]
    [InlineData(131, 137, 3, Form.Zero)]
    [InlineData(200, 150, 5, Form.Groups)]
    [InlineData(130, 150, 120, Form.Equal)]
    public void Large_matrices_too(int rows, int columns, int rank, Form form) => AssertDecomposed(new Case(rows, columns, rank, form, 7));

    [Fact]
    public void The_same_matrix_gives_the_same_bits_whatever_else_runs()
    {
        float[] matrix = Matrix(new Case(200, 180, 6, Form.Falling, 3));
        SingularFactors alone = SingularValues.Largest(matrix, 200, 180, 6);
        var others = new SingularFactors[4];
        Parallel.For(0, others.Length, i => others[i] = SingularValues.Largest(matrix, 200, 180, 6));
        foreach (SingularFactors other in others)
        {
            Assert.Equal(alone.U, other.U);
            Assert.Equal(alone.Values, other.Values);
            Assert.Equal(alone.Vt, other.Vt);
        }
    }

    [Fact]
    public void Squares_add_up_to_the_squared_norm()
    {
        float[] matrix = Matrix(new Case(20, 31, 20, Form.Falling, 5));
        Assert.Equal(matrix.Sum(x => (double)x * x), SingularValues.SquaredNorm(matrix), 1e-12);
        Assert.Equal(SingularValues.SquaredNorm(matrix), SingularValues.LargestSquared(matrix, 20, 31, 20).Sum(), 1e-12);
        Assert.Equal(Spectrum(Form.Falling, 20).Take(3).Select(s => s * s).Sum(), SingularValues.LargestSquared(matrix, 20, 31, 3).Sum(), Rounding);
    }

    [Theory]
    [InlineData(float.NaN, "NaN")]
    [InlineData(float.NegativeInfinity, "-Infinity")]
    public void Elements_that_are_not_finite_are_refused(float bad, string name)
    {
        var matrix = new float[12];
        matrix[7] = bad;
        ArgumentException error = Assert.Throws<ArgumentException>(() => SingularValues.Largest(matrix, 3, 4, 1));
        Assert.Contains($"element [1, 3] is {name}", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(3, 5, 1, "12 elements for a matrix [3, 5]")]
    [InlineData(0, 4, 1, "12 elements for a matrix [0, 4]")]
    [InlineData(3, 4, 0, "singular values 1 to 3")]
    [InlineData(4, 3, 4, "singular values 1 to 3")]
    public void Other_sizes_and_ranks_are_refused(int rows, int columns, int rank, string message) =>
        Assert.Contains(message, Assert.ThrowsAny<ArgumentException>(() => SingularValues.Largest(new float[12], rows, columns, rank)).Message, StringComparison.Ordinal);

    private static void AssertDecomposed(Case c)
    {
        float[] matrix = Matrix(c);
        double[] spectrum = Spectrum(c.Form, Math.Min(c.Rows, c.Columns));
        (double[] u, double[] values, double[] vt) = SingularValues.Largest(matrix, c.Rows, c.Columns, c.Rank);
        for (int k = 0; k < c.Rank; k++)
        {
            Assert.Equal(spectrum[k], values[k], Rounding);
            Assert.True(values[k] >= 0 && (k == 0 || values[k] <= values[k - 1]), $"{c}: value {k} is {values[k]}");
            double[] left = [.. Enumerable.Range(0, c.Rows).Select(i => u[i * c.Rank + k])];
            Assert.True(left.Max() >= -left.Min(), $"{c}: the greatest element of left vector {k} is negative");
            for (int l = 0; l <= k; l++)
            {
                Assert.Equal(k == l ? 1 : 0, Enumerable.Range(0, c.Rows).Sum(i => u[i * c.Rank + k] * u[i * c.Rank + l]), 1e-12);
                Assert.Equal(k == l ? 1 : 0, Enumerable.Range(0, c.Columns).Sum(j => vt[k * c.Columns + j] * vt[l * c.Columns + j]), 1e-12);
            }
        }

        double left2 = 0;
        for (int e = 0; e < matrix.Length; e++)
        {
            (int i, int j) = Math.DivRem(e, c.Columns);
            double difference = matrix[e] - Enumerable.Range(0, c.Rank).Sum(k => u[i * c.Rank + k] * values[k] * vt[k * c.Columns + j]);
            left2 += difference * difference;
        }

        Assert.Equal(Math.Sqrt(spectrum.Skip(c.Rank).Sum(s => s * s)), Math.Sqrt(left2), Rounding);
    }

    private static float[] Matrix(Case c)
    {
        var random = new Random(c.Seed);
        double[] v = [.. Enumerable.Range(0, c.Rows).Select(_ => random.NextDouble() - 0.5)];
        double[] w = [.. Enumerable.Range(0, c.Columns).Select(_ => random.NextDouble() - 0.5)];
        double[] spectrum = Spectrum(c.Form, Math.Min(c.Rows, c.Columns));
        double vv = v.Sum(x => x * x);
        double ww = w.Sum(x => x * x);
        double across = spectrum.Select((s, k) => s * v[k] * w[k]).Sum();
        var matrix = new float[c.Rows * c.Columns];
        for (int e = 0; e < matrix.Length; e++)
        {
            // (I − 2 v vᵀ/vᵀv) D (I − 2 w wᵀ/wᵀw), element [i, j]; D v and D w end where D's diagonal does.
            (int i, int j) = Math.DivRem(e, c.Columns);
            double diagonal = i == j ? spectrum[i] : 0;
            double dw = i < spectrum.Length ? spectrum[i] * w[i] : 0;
            double dv = j < spectrum.Length ? spectrum[j] * v[j] : 0;
            matrix[e] = (float)(diagonal - 2 * v[i] * dv / vv - 2 * dw * w[j] / ww + 4 * v[i] * across * w[j] / (vv * ww));
        }

        return matrix;
    }

    private static double[] Spectrum(Form form, int count) => [.. Enumerable.Range(0, count).Select(k => form switch
    {
        Form.Falling => Math.Pow(0.6, k),
        Form.Groups => Math.Pow(0.5, k / 3),
        Form.Deficient => k < 10 ? 1.0 / (1 + k) : 0,
        Form.Equal => 0.75,
        _ => 0,
    })];

    public enum Form
    {
        Falling,
        Groups,
        Deficient,
        Equal,
        Zero,
    }

    private sealed record Case(int Rows, int Columns, int Rank, Form Form, int Seed);
}
