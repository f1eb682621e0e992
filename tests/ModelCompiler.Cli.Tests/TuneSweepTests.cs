using ModelCompiler.CommandLine.Results;
using ModelCompiler.CommandLine.Tuning;

namespace ModelCompiler.Cli.Tests;

/// <summary>Where a sweep over batches ends and what it recommends, without a clock.</summary>
public class TuneSweepTests
{
    private static readonly int[] s_batches = [1, 2, 4, 8, 16];

    [Theory]
    [InlineData(new double[] { 10, 20, 30, 40, 50 }, 5, null)]
    [InlineData(new double[] { 10, 20, 20.3, 40, 50 }, 3, "no faster than a smaller one")]
    [InlineData(new double[] { 10, 9, 40, 40, 50 }, 2, "no faster than a smaller one")]
    [InlineData(new double[] { 10, 20, -1, 40, 50 }, 2, "too large")]
    [InlineData(new double[] { -1, 20, 30, 40, 50 }, 0, "too large")]
    public void It_ends_where_a_larger_batch_gains_nothing_or_does_not_fit(double[] speeds, int points, string? reason)
    {
        double Speed(int batch) => speeds[Array.IndexOf(s_batches, batch)];
        var (measured, end) = TuneSweep.Run(s_batches, batch => Speed(batch) < 0 ? "too large" : null, batch => Point(batch, Speed(batch), batch));
        Assert.Equal(s_batches.Take(points), measured.Select(p => p.Batch));
        Assert.Equal(reason, end?.Reason);
        Assert.Equal(reason is null ? null : reason == "too large" ? s_batches[points] : s_batches[points - 1], end?.Batch);
    }

    [Fact]
    public void What_takes_least_is_recommended_among_the_fastest()
    {
        TunePoint[] points = [Point(1, 90, 10), Point(2, 99, 20), Point(4, 100, 40)];
        Assert.Equal(2, TuneSweep.Best(points).Batch);
        Assert.Equal(8, TuneSweep.Best([.. points, Point(8, 101.5, 30)]).Batch);
    }

    private static TunePoint Point(int batch, double tokensPerSecond, long peak) => new("none", batch, 1, tokensPerSecond, 1, peak);
}
