using ModelCompiler.Backends;

namespace ModelCompiler.Tests.Conformance;

public sealed class DropoutMaskTests
{
    /// <summary>The counts of every row and every column, over several keys, are spread as binomial counts are.</summary>
    [Theory]
    [InlineData(0.1f)]
    [InlineData(0.5f)]
    [InlineData(0.9f)]
    public void DropsTheRate(float rate)
    {
        const int size = 256;
        var byRow = new List<double>();
        var byColumn = new List<double>();
        for (ulong key = 0; key < 16; key++)
        {
            var rows = new int[size];
            var columns = new int[size];
            for (int row = 0; row < size; row++)
            {
                for (int column = 0; column < size; column++)
                {
                    int dropped = DropoutMask.Keeps(key, row, column, rate) ? 0 : 1;
                    rows[row] += dropped;
                    columns[column] += dropped;
                }
            }

            AssertShare(rows.Sum(), size * size, rate);
            byRow.AddRange(rows.Select(Deviation));
            byColumn.AddRange(columns.Select(Deviation));
        }

        double Deviation(int count) => (count - size * (double)rate) / Math.Sqrt(size * (double)rate * (1 - (double)rate));
        Assert.InRange(byRow.Average(d => d * d), 0.9, 1.1);
        Assert.InRange(byColumn.Average(d => d * d), 0.9, 1.1);
    }

    /// <summary>Masks of neighboring rows, columns and keys agree as often as independent ones.</summary>
    [Fact]
    public void NeighborsAreIndependent()
    {
        const int count = 20_000;
        int rows = 0;
        int columns = 0;
        int keys = 0;
        for (int i = 0; i < count; i++)
        {
            int row = i / 100;
            int column = i % 100;
            bool kept = DropoutMask.Keeps(7, row, column, 0.5f);
            rows += kept == DropoutMask.Keeps(7, row + 1, column, 0.5f) ? 1 : 0;
            columns += kept == DropoutMask.Keeps(7, row, column + 1, 0.5f) ? 1 : 0;
            keys += kept == DropoutMask.Keeps(8, row, column, 0.5f) ? 1 : 0;
        }

        AssertShare(rows, count, 0.5);
        AssertShare(columns, count, 0.5);
        AssertShare(keys, count, 0.5);
    }

    [Theory]
    [InlineData(1f)]
    [InlineData(-0.1f)]
    [InlineData(float.NaN)]
    public void RefusesWhatIsNoRate(float rate) => Assert.Throws<ArgumentOutOfRangeException>(() => DropoutMask.Threshold(rate));

    private static void AssertShare(int hits, int count, double probability) =>
        Assert.InRange(hits, count * probability - Deviations(count, probability), count * probability + Deviations(count, probability));

    private static double Deviations(int count, double probability) => 5 * Math.Sqrt(count * probability * (1 - probability));
}
