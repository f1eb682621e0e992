namespace ModelCompiler.Planning;

/// <summary>A buffer with the operations during which it is live, and its place once it has one.</summary>
/// <param name="Row">Its row of the frame's table.</param>
/// <param name="Bytes">Its size.</param>
/// <param name="First">First operation of its life.</param>
/// <param name="Last">Last operation of its life.</param>
/// <param name="Offset">Where it lies.</param>
internal sealed record LiveBuffer(int Row, long Bytes, int First, int Last, long Offset)
{
    /// <summary>One past its highest byte.</summary>
    public long End => Offset + Bytes;

    /// <summary>Whether there is an operation during which both are live.</summary>
    public bool Meets(LiveBuffer other) => First <= other.Last && other.First <= Last;
}

/// <summary>
/// Puts buffers, one after the other, at the lowest place that is free over their lives. No order of doing so is best for all frames: several
/// are tried until one needs no more than what is live at once, and the lowest peak wins.
/// </summary>
internal static class OffsetSearch
{
    /// <summary>Largest first meets the bound in nearly all frames; the others are those that pay where it does not.</summary>
    private static readonly Func<LiveBuffer, long>[] s_orders =
    [
        static b => -b.Bytes,
        static b => -b.Bytes * (b.Last - b.First + 1),
        static b => b.First - b.Last,
        static b => -b.Last,
    ];

    /// <summary>Places buffers beside those that are placed already.</summary>
    /// <param name="placed">What lies where it lies.</param>
    /// <param name="free">What is to be placed.</param>
    /// <param name="peak">One past the highest byte.</param>
    /// <returns>The buffers of <paramref name="free"/>, placed, in any order.</returns>
    public static LiveBuffer[] Place(IReadOnlyList<LiveBuffer> placed, LiveBuffer[] free, out long peak)
    {
        long end = placed.Select(static b => b.End).DefaultIfEmpty().Max();
        long bound = Math.Max(end, Bound([.. placed, .. free]));
        LiveBuffer[] best = free;
        peak = long.MaxValue;
        foreach (Func<LiveBuffer, long> order in s_orders)
        {
            LiveBuffer[] tried = InOrder(placed, free.OrderBy(order).ThenBy(static b => b.Row));
            long reached = Math.Max(end, tried.Select(static b => b.End).DefaultIfEmpty().Max());
            if (reached < peak)
            {
                (best, peak) = (tried, reached);
            }

            if (peak == bound)
            {
                break;
            }
        }

        return best;
    }

    private static LiveBuffer[] InOrder(IReadOnlyList<LiveBuffer> placed, IEnumerable<LiveBuffer> free)
    {
        var byOffset = placed.OrderBy(static b => b.Offset).ToList();
        var done = new List<LiveBuffer>();
        foreach (LiveBuffer buffer in free)
        {
            long offset = 0;
            foreach (LiveBuffer other in byOffset)
            {
                if (!other.Meets(buffer))
                {
                    continue;
                }

                if (other.Offset >= offset + buffer.Bytes)
                {
                    break;
                }

                offset = Math.Max(offset, other.End);
            }

            LiveBuffer here = buffer with { Offset = offset };
            done.Add(here);
            int place = byOffset.FindIndex(b => b.Offset > offset);
            byOffset.Insert(place < 0 ? byOffset.Count : place, here);
        }

        return done.ToArray();
    }

    /// <summary>The most that is live at once; a life's first operation is where that can begin.</summary>
    private static long Bound(LiveBuffer[] buffers)
    {
        long bound = 0;
        foreach (LiveBuffer start in buffers)
        {
            long live = 0;
            foreach (LiveBuffer b in buffers)
            {
                live += b.First <= start.First && start.First <= b.Last ? b.Bytes : 0;
            }

            bound = Math.Max(bound, live);
        }

        return bound;
    }
}
