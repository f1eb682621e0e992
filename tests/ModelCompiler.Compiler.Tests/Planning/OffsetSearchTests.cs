using FsCheck;
using FsCheck.Fluent;
using ModelCompiler.Planning;

namespace ModelCompiler.Compiler.Tests.Planning;

/// <summary>Offsets of random sets of buffers, some of which lie somewhere already.</summary>
public class OffsetSearchTests
{
    private const int Operations = 20;

    [Fact]
    public void No_two_live_buffers_overlap() => Hold((placed, free) =>
    {
        LiveBuffer[] all = [.. placed, .. OffsetSearch.Place(placed, free, out _)];
        return all.SelectMany((a, i) => all.Skip(i + 1).Select(b => (A: a, B: b))).All(p => Apart(p.A, p.B));
    });

    [Fact]
    public void Buffers_change_nothing_but_their_place() => Hold((placed, free) =>
        OffsetSearch.Place(placed, free, out _).Select(b => b with { Offset = 0 }).OrderBy(b => b.Row).SequenceEqual(free));

    [Fact]
    public void The_peak_is_the_highest_end_and_never_below_what_is_live() => Hold((placed, free) =>
    {
        LiveBuffer[] all = [.. placed, .. OffsetSearch.Place(placed, free, out long peak)];
        long live = Enumerable.Range(0, Operations).Max(now => all.Where(b => b.First <= now && now <= b.Last).Sum(b => b.Bytes));
        return peak == all.Max(b => b.Offset + b.Bytes) && peak >= live;
    });

    [Fact]
    public void The_order_in_which_buffers_come_does_not_matter() => Hold((placed, free) =>
    {
        LiveBuffer[] forward = OffsetSearch.Place(placed, free, out long peak);
        LiveBuffer[] back = OffsetSearch.Place([.. placed.Reverse()], [.. free.Reverse()], out long again);
        return peak == again && forward.OrderBy(b => b.Row).SequenceEqual(back.OrderBy(b => b.Row));
    });

    /// <summary>Largest first puts the second buffer above the first, and then has no 128 bytes left below the second: it takes 448.</summary>
    [Fact]
    public void An_order_that_needs_less_is_found()
    {
        OffsetSearch.Place([], [new(0, 192, 4, 4, 0), new(1, 128, 1, 4, 0), new(2, 128, 1, 3, 0), new(3, 128, 3, 3, 0)], out long peak);
        Assert.Equal(384, peak);
    }

    private static void Hold(Func<LiveBuffer[], LiveBuffer[], bool> property) =>
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(1000), Prop.ForAll(Sets().ToArbitrary(), s => property(s.Placed, s.Free)));

    private static bool Apart(LiveBuffer a, LiveBuffer b) =>
        a.Last < b.First || b.Last < a.First || a.Offset + a.Bytes <= b.Offset || b.Offset + b.Bytes <= a.Offset;

    /// <summary>Buffers side by side that are placed, as saved ones are, and others that are not.</summary>
    private static Gen<(LiveBuffer[] Placed, LiveBuffer[] Free)> Sets() =>
        from placed in Buffer().ArrayOf(6)
        from free in Buffer().ArrayOf(14)
        from count in Gen.Choose(0, 6)
        select (
            placed.Take(count).Select((b, i) => b with { Row = i, Offset = placed.Take(i).Sum(p => p.Bytes) }).ToArray(),
            free.Select((b, i) => b with { Row = count + i }).ToArray());

    private static Gen<LiveBuffer> Buffer() =>
        from bytes in Gen.Choose(1, 300)
        from first in Gen.Choose(0, Operations - 1)
        from length in Gen.Choose(0, Operations)
        select new LiveBuffer(0, 64 * bytes, first, Math.Min(Operations - 1, first + length), 0);
}
