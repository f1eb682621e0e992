using FsCheck;
using FsCheck.Fluent;
using ModelCompiler.Planning;

namespace ModelCompiler.Compiler.Tests.Planning;

/// <summary>The offset assignment of random frames.</summary>
public class FramePlannerTests
{
    private static readonly Sizes s_sizes = new(2, 3, 4, 0, [3]);

    [Fact]
    public void No_two_live_buffers_overlap() => Check.One(Config.QuickThrowOnFailure.WithMaxTest(500), Prop.ForAll(Tables().ToArbitrary(), table =>
    {
        FramePlan plan = FramePlanner.Plan(table, s_sizes, BackendProfile.Cpu(1));
        FrameBuffer[] rows = table.Buffers;
        for (int a = 0; a < rows.Length; a++)
        {
            for (int b = a + 1; b < rows.Length; b++)
            {
                bool live = First(table, a) <= Last(table, b) && First(table, b) <= Last(table, a);
                bool apart = plan.Offsets[a] + Bytes(table, a) <= plan.Offsets[b] || plan.Offsets[b] + Bytes(table, b) <= plan.Offsets[a];
                if (live && !apart)
                {
                    return false;
                }
            }
        }

        return true;
    }));

    [Fact]
    public void What_is_saved_lies_below_the_frame_above() => Check.One(Config.QuickThrowOnFailure.WithMaxTest(500), Prop.ForAll(Tables().ToArbitrary(), table =>
    {
        FramePlan plan = FramePlanner.Plan(table, s_sizes, BackendProfile.Cpu(1));
        return Enumerable.Range(0, table.Buffers.Length).Where(i => table.Buffers[i].Kind == BufferKind.Saved)
            .All(i => plan.Offsets[i] + Bytes(table, i) <= plan.OutputOffset);
    }));

    [Fact]
    public void The_peak_is_at_least_the_live_set_and_is_reached() => Check.One(Config.QuickThrowOnFailure.WithMaxTest(500), Prop.ForAll(Tables().ToArbitrary(), table =>
    {
        FramePlan plan = FramePlanner.Plan(table, s_sizes, BackendProfile.Cpu(1));
        int[] rows = Enumerable.Range(0, table.Buffers.Length).ToArray();
        long bound = Enumerable.Range(-1, table.ForwardOps + table.BackwardOps + 2)
            .Max(t => rows.Where(i => First(table, i) <= t && t <= Last(table, i)).Sum(i => Bytes(table, i)));
        long reached = rows.Max(i => plan.Offsets[i] + Bytes(table, i));
        return plan.Peak >= bound && plan.Peak == reached;
    }));

    private static long Bytes(FrameTable table, int row) => FramePlanner.Bytes(table.Buffers[row], s_sizes, BackendProfile.Cpu(1));

    private static int First(FrameTable table, int row) => table.Buffers[row].Kind == BufferKind.Input ? -1 : table.Buffers[row].First;

    private static int Last(FrameTable table, int row) => table.Buffers[row].Kind switch
    {
        BufferKind.Output => table.ForwardOps - 1,
        _ => table.Buffers[row].Last,
    };

    private static Gen<FrameTable> Tables() =>
        from forward in Gen.Choose(2, 8)
        from backward in Gen.Choose(0, 8)
        from saved in Gen.Choose(0, backward == 0 ? 0 : 5).SelectMany(n => Row(BufferKind.Saved, 0, forward - 1, forward, forward + backward - 1).ListOf(n))
        from scratch in Gen.Choose(0, 8).SelectMany(n => Row(BufferKind.Scratch, 0, forward + backward - 1, 0, forward + backward - 1).ListOf(n))
        from columns in Gen.Choose(1, 300)
        from written in Gen.Choose(1, forward - 1)
        from inputRead in Gen.Choose(0, forward + backward - 1)
        select new FrameTable(
            "Random",
            [
                new FrameBuffer("Input", Dim.Tokens, new Dim(columns), BufferKind.Input, -1, inputRead),
                .. saved,
                .. scratch,
                new FrameBuffer("Output", Dim.Tokens, new Dim(columns), BufferKind.Output, written, forward),
            ],
            new Work(forward, default, default),
            new Work(backward, default, default),
            OutputOverInput: inputRead < written);

    private static Gen<FrameBuffer> Row(BufferKind kind, int firstFrom, int firstTo, int lastFrom, int lastTo) =>
        from first in Gen.Choose(firstFrom, firstTo)
        from last in Gen.Choose(lastFrom, lastTo)
        from columns in Gen.Choose(1, 300)
        from rank in Gen.Choose(0, 4)
        select new FrameBuffer("Row", Dim.Tokens, rank == 0 ? Dim.Rank(0) : new Dim(columns), kind, first, Math.Max(first, last));
}
