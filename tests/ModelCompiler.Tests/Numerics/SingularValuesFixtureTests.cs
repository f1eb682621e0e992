using System.Runtime.InteropServices;
using ModelCompiler.Numerics;
using ModelCompiler.Tests.Fixtures;

namespace ModelCompiler.Tests.Numerics;

/// <summary>Singular values and vectors are those of numpy.linalg.svd (tests/Fixtures/singular_values.py).</summary>
public class SingularValuesFixtureTests
{
    private static readonly SingularValuesFixture Fixture = FixtureFile.Read<SingularValuesFixture>("singular-values.json");

    public static TheoryData<int> Cases => [.. Enumerable.Range(0, Fixture.Cases.Count)];

    [Theory]
    [MemberData(nameof(Cases))]
    public void Values_and_vectors_are_those_of_numpy(int index)
    {
        SingularValuesCase c = Fixture.Cases[index];
        SingularFactors factors = SingularValues.Largest(c.Elements, c.Rows, c.Columns, c.Rank);
        double[] values = Doubles(c.Values);
        AssertNear(values, factors.Values, c.U is null ? 1e-3 * values[^1] : 1e-13 * values[0]);
        if (c.U is not null && c.Vt is not null)
        {
            // A vector moves by rounding over the gap to the values beside its own.
            double gap = values.Zip(values.Skip(1).Append(0), (s, next) => s - next).Min() / values[0];
            AssertNear(Doubles(c.U), factors.U, 1e-13 / gap);
            AssertNear(Doubles(c.Vt), factors.Vt, 1e-13 / gap);
        }
    }

    private static void AssertNear(double[] expected, double[] actual, double tolerance)
    {
        Assert.Equal(expected.Length, actual.Length);
        double worst = expected.Zip(actual, (x, y) => Math.Abs(x - y)).Max();
        Assert.True(worst <= tolerance, $"{worst:G3} apart, {tolerance:G3} allowed");
    }

    private static double[] Doubles(byte[] bytes) => MemoryMarshal.Cast<byte, double>(bytes).ToArray();

    internal sealed record SingularValuesFixture(IReadOnlyList<SingularValuesCase> Cases);

    internal sealed record SingularValuesCase(string Name, int Rows, int Columns, int Rank, byte[]? Matrix, byte[]? U, byte[] Values, byte[]? Vt)
    {
        public float[] Elements => Matrix is null
            ? [.. Enumerable.Range(0, Rows * Columns).Select(e => Name == "Cauchy" ? Cauchy(e / Columns, e % Columns) : Modular(e / Columns, e % Columns))]
            : MemoryMarshal.Cast<byte, float>(Matrix).ToArray();

        private static float Cauchy(int i, int j) => (float)(4 / (4 + i + 4.0 * j));

        private static float Modular(int i, int j) => (i * i * i + 31 * i * j + 17 * j * j * j) % 211;
    }
}
