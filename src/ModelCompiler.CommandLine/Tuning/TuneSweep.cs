using ModelCompiler.CommandLine.Results;

namespace ModelCompiler.CommandLine.Tuning;

/// <summary>Goes through micro-batches of one kind of checkpointing, each twice the one before, until a larger one gains nothing or does not fit.</summary>
internal static class TuneSweep
{
    /// <summary>Less than this is noise: neither a reason to go on, nor to prefer the larger plan.</summary>
    public const double Gain = 1.02;

    /// <summary>Measures batch after batch.</summary>
    /// <param name="batches">The batches, ascending.</param>
    /// <param name="refuse">Why a batch cannot be run; null where it can.</param>
    /// <param name="measure">Measures a batch.</param>
    /// <returns>The points, and why there are no more of them; null where all batches were measured.</returns>
    public static (IReadOnlyList<TunePoint> Points, (int Batch, string Reason)? End) Run(IEnumerable<int> batches, Func<int, string?> refuse, Func<int, TunePoint> measure)
    {
        var points = new List<TunePoint>();
        double most = 0;
        foreach (int batch in batches)
        {
            if (refuse(batch) is { } reason)
            {
                return (points, (batch, reason));
            }

            TunePoint point = measure(batch);
            points.Add(point);
            if (point.TokensPerSecond < Gain * most)
            {
                return (points, (batch, "no faster than a smaller one"));
            }

            most = point.TokensPerSecond;
        }

        return (points, null);
    }

    /// <summary>Of the points within the noise of the fastest the one that takes least.</summary>
    /// <param name="points">At least one.</param>
    public static TunePoint Best(IReadOnlyList<TunePoint> points)
    {
        double most = points.Max(p => p.TokensPerSecond);
        return points.Where(p => p.TokensPerSecond * Gain >= most).MinBy(p => p.Peak)!;
    }
}
