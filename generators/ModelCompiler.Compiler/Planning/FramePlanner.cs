namespace ModelCompiler.Planning;

/// <summary>Offsets of one frame's buffers above its base.</summary>
/// <param name="Table">The buffers.</param>
/// <param name="Offsets">Byte offset of each row; -1 where the row lives outside the frame or nowhere.</param>
/// <param name="InputOffset">Offset of the input.</param>
/// <param name="OutputOffset">Offset of the output, which is the input of the frame above.</param>
/// <param name="Peak">One past the highest byte the frame ever uses.</param>
/// <param name="KeepsInput">Whether the input outlives the frame.</param>
/// <param name="Saved">Element type of the saved values that may be narrowed.</param>
public sealed record FramePlan(FrameTable Table, long[] Offsets, long InputOffset, long OutputOffset, long Peak, bool KeepsInput, DType Saved)
{
    /// <summary>Element type of a row.</summary>
    public DType TypeOf(FrameRow row, BackendProfile profile) => row.Narrows ? Saved : profile.Compute;
}

/// <summary>
/// Assigns offsets within one frame. Saved buffers lie lowest, longest-lived first, right above the kept input, where the frames
/// above cannot reach them; scratch goes, largest first, to the lowest place that is free over its life, including the place
/// of saved buffers not yet written or already read.
/// </summary>
public static class FramePlanner
{
    /// <summary>Plans a frame.</summary>
    /// <param name="table">Its buffers.</param>
    /// <param name="sizes">The numbers behind the symbols.</param>
    /// <param name="profile">The backend.</param>
    /// <param name="inputAbove">For a frame that saves nothing and cannot overwrite its input: the input lies one residual above the base and the output at the base.</param>
    /// <param name="keepsInput">Whether the input outlives the frame even where nothing is saved.</param>
    /// <param name="share">Whether buffers may share memory.</param>
    /// <param name="saved">Element type of the saved values that may be narrowed; null: the compute type.</param>
    public static FramePlan Plan(FrameTable table, Sizes sizes, BackendProfile profile, bool inputAbove = false, bool keepsInput = false, bool share = true, DType? saved = null)
    {
        FrameRow[] rows = table.Rows;
        var offsets = new long[rows.Length];
        var bytes = new long[rows.Length];
        int input = -1;
        int output = -1;
        for (int i = 0; i < rows.Length; i++)
        {
            offsets[i] = -1;
            if (rows[i].Shares >= 0)
            {
                continue;
            }

            bytes[i] = Bytes(rows[i], sizes, profile, saved);
            input = rows[i].Kind == RowKind.Input ? i : input;
            output = rows[i].Kind == RowKind.Output ? i : output;
        }

        int end = table.ForwardOps + table.BackwardOps;
        keepsInput |= table.Saves || !share;
        var placed = new List<Interval>(rows.Length);
        long residual = input >= 0 ? bytes[input] : 0;
        long slab = 0;
        if (input >= 0)
        {
            offsets[input] = inputAbove ? residual : 0;
            int last = keepsInput ? end : rows[input].Last;
            placed.Add(new Interval(offsets[input], residual, -1, last));
            slab = keepsInput ? residual : 0;
        }

        foreach (int i in Order(rows, RowKind.Saved, (a, b) => rows[b].Last.CompareTo(rows[a].Last)))
        {
            offsets[i] = slab;
            placed.Add(new Interval(slab, bytes[i], rows[i].First, rows[i].Last));
            slab += bytes[i];
        }

        long peak = Math.Max(slab, input >= 0 ? offsets[input] + residual : 0);
        if (!share)
        {
            foreach (int i in Order(rows, RowKind.Scratch, (a, b) => a.CompareTo(b)))
            {
                offsets[i] = slab;
                slab += bytes[i];
            }
        }

        long outputOffset = slab;
        if (output >= 0)
        {
            bool above = input >= 0 && !keepsInput && !table.OutputOverInput && !inputAbove;
            outputOffset = slab + (above ? residual : 0);
            offsets[output] = outputOffset;
            placed.Add(new Interval(outputOffset, bytes[output], rows[output].First, table.ForwardOps));
            peak = Math.Max(peak, outputOffset + bytes[output]);
        }

        if (share)
        {
            foreach (int i in Order(rows, RowKind.Scratch, (a, b) => bytes[b].CompareTo(bytes[a])))
            {
                offsets[i] = LowestFree(placed, bytes[i], rows[i]);
                placed.Add(new Interval(offsets[i], bytes[i], rows[i].First, rows[i].Last));
                peak = Math.Max(peak, offsets[i] + bytes[i]);
            }
        }

        for (int i = 0; i < rows.Length; i++)
        {
            offsets[i] = rows[i].Shares >= 0 ? offsets[rows[i].Shares] : offsets[i];
        }

        return new FramePlan(table, offsets, input >= 0 ? offsets[input] : 0, outputOffset, Math.Max(peak, slab), keepsInput, saved ?? profile.Compute);
    }

    /// <summary>Bytes of a row, padded and aligned; 0 where it has no memory.</summary>
    public static long Bytes(FrameRow row, Sizes sizes, BackendProfile profile, DType? saved = null)
    {
        if (row.Kind == RowKind.Absent)
        {
            return 0;
        }

        return profile.MatrixBytes(row.Rows.Evaluate(sizes), row.Columns.Evaluate(sizes), row.Narrows ? saved ?? profile.Compute : profile.Compute);
    }

    private static List<int> Order(FrameRow[] rows, RowKind kind, Comparison<int> compare)
    {
        var order = new List<int>();
        for (int i = 0; i < rows.Length; i++)
        {
            if (rows[i].Kind == kind && rows[i].Shares < 0)
            {
                order.Add(i);
            }
        }

        order.Sort((a, b) => compare(a, b) is var c and not 0 ? c : a.CompareTo(b));
        return order;
    }

    private static long LowestFree(List<Interval> placed, long bytes, FrameRow row)
    {
        placed.Sort((a, b) => a.Offset.CompareTo(b.Offset));
        long offset = 0;
        foreach (Interval other in placed)
        {
            if (other.First > row.Last || other.Last < row.First)
            {
                continue;
            }

            if (other.Offset >= offset + bytes)
            {
                break;
            }

            offset = Math.Max(offset, other.Offset + other.Bytes);
        }

        return offset;
    }

    private readonly record struct Interval(long Offset, long Bytes, int First, int Last);
}
