using System.Diagnostics;

namespace ModelCompiler.Benchmarks;

/// <summary>Times of short repetitions; the machine may be shared, so best and median are what counts.</summary>
internal static class Bench
{
    /// <summary>Seconds of one call, as the mean of enough calls to fill about two milliseconds.</summary>
    public static double Seconds(Action action, double window = 2e-3)
    {
        int calls = 0;
        long start = Stopwatch.GetTimestamp();
        double elapsed;
        do
        {
            action();
            calls++;
            elapsed = Stopwatch.GetElapsedTime(start).TotalSeconds;
        }
        while (elapsed < window);
        return elapsed / calls;
    }

    /// <summary>The middle value.</summary>
    public static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted[sorted.Length / 2];
    }
}
