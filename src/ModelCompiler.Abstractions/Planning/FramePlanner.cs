namespace ModelCompiler.Planning;

/// <summary>Offsets of one frame's buffers above its base.</summary>
/// <param name="Table">The buffers.</param>
/// <param name="Bytes">Bytes of each row, padded and aligned; 0 where it shares another's memory, lives outside the frame or nowhere.</param>
/// <param name="Offsets">Byte offset of each row; -1 where the row lives outside the frame or nowhere.</param>
/// <param name="InputOffset">Offset of the input.</param>
/// <param name="OutputOffset">Offset of the output, which is the input of the frame above.</param>
/// <param name="Peak">One past the highest byte the frame ever uses.</param>
/// <param name="BackwardPeak">One past the highest byte that is still used in backward.</param>
/// <param name="KeepsInput">Whether the input outlives the frame.</param>
/// <param name="Saved">Element type of the saved values that may be narrowed.</param>
public sealed record FramePlan(
    FrameTable Table, long[] Bytes, long[] Offsets, long InputOffset, long OutputOffset, long Peak, long BackwardPeak, bool KeepsInput, DType Saved)
{
    /// <summary>Element type of a row.</summary>
    public DType TypeOf(FrameBuffer row, BackendProfile profile) => row.TypeOn(profile, Saved);
}

/// <summary>
/// Assigns offsets within one frame. Saved buffers lie lowest, longest-lived first, right above the kept input, where the frames
/// above cannot reach them; scratch goes to the lowest place that is free over its life, including the place of saved buffers
/// not yet written or already read.
/// </summary>
public static class FramePlanner
{
    /// <summary>Plans a frame.</summary>
    /// <param name="table">Its buffers.</param>
    /// <param name="sizes">The numbers behind the symbols.</param>
    /// <param name="profile">The backend.</param>
    /// <param name="inputAbove">For a frame that saves nothing and cannot overwrite its input: the input lies one residual above the base and the output at the base.</param>
    /// <param name="keepsInput">Whether the input outlives the frame even where its backward does not read it.</param>
    /// <param name="outputAbove">For a frame that keeps its input: the output lies one residual higher than it could, so that a frame above can put its own there.</param>
    /// <param name="share">Whether buffers may share memory.</param>
    /// <param name="saved">Element type of the saved values that may be narrowed; null: that of activations.</param>
    public static FramePlan Plan(
        FrameTable table,
        Sizes sizes,
        BackendProfile profile,
        bool inputAbove = false,
        bool keepsInput = false,
        bool outputAbove = false,
        bool share = true,
        DType? saved = null)
    {
        FrameBuffer[] rows = table.Buffers;
        var offsets = new long[rows.Length];
        var bytes = new long[rows.Length];
        int input = -1;
        int output = -1;
        for (int i = 0; i < rows.Length; i++)
        {
            offsets[i] = -1;
            if (rows[i].Shares >= 0 || rows[i].Kind is BufferKind.Hidden or BufferKind.ResidualGradient)
            {
                continue;
            }

            bytes[i] = Bytes(rows[i], sizes, profile, saved);
            input = rows[i].Kind == BufferKind.Input ? i : input;
            output = rows[i].Kind == BufferKind.Output ? i : output;
        }

        int end = table.ForwardOps + table.BackwardOps;
        keepsInput |= !share || table.ReadsInputAgain;
        var placed = new List<LiveBuffer>(rows.Length);
        long residual = input >= 0 ? bytes[input] : 0;
        long slab = 0;
        if (input >= 0)
        {
            offsets[input] = inputAbove ? residual : 0;
            int last = keepsInput ? end : rows[input].Last;
            placed.Add(new LiveBuffer(input, residual, -1, last, offsets[input]));
            slab = keepsInput ? residual : 0;
        }

        // What is written after an input that nobody keeps was read takes the input's place; then longest-lived first.
        bool Early(int i) => keepsInput || input < 0 || rows[i].First <= rows[input].Last;
        foreach (int i in Order(rows, BufferKind.Saved, (a, b) => Early(a) != Early(b) ? Early(a).CompareTo(Early(b)) : rows[b].Last.CompareTo(rows[a].Last)))
        {
            slab = Early(i) ? Math.Max(slab, residual) : slab;
            offsets[i] = slab;
            placed.Add(new LiveBuffer(i, bytes[i], rows[i].First, rows[i].Last, slab));
            slab += bytes[i];
        }

        slab = table.Saves ? Math.Max(slab, residual) : slab;
        long peak = Math.Max(slab, input >= 0 ? offsets[input] + residual : 0);
        if (!share)
        {
            foreach (int i in Order(rows, BufferKind.Scratch, (a, b) => a.CompareTo(b)))
            {
                offsets[i] = slab;
                slab += bytes[i];
            }
        }

        long outputOffset = slab;
        if (output >= 0)
        {
            bool above = outputAbove || (input >= 0 && !keepsInput && !table.Saves && !table.OutputOverInput && !inputAbove);
            outputOffset = slab + (above ? residual : 0);
            offsets[output] = outputOffset;
            placed.Add(new LiveBuffer(output, bytes[output], rows[output].First, table.ForwardOps - 1, outputOffset));
            peak = Math.Max(peak, outputOffset + bytes[output]);
        }

        if (share)
        {
            IEnumerable<int> scratch = Order(rows, BufferKind.Scratch, (a, b) => a.CompareTo(b));
            foreach (LiveBuffer buffer in OffsetSearch.Place(placed, scratch.Select(i => new LiveBuffer(i, bytes[i], rows[i].First, rows[i].Last, 0)).ToArray(), out peak))
            {
                offsets[buffer.Row] = buffer.Offset;
            }
        }

        long backward = slab;
        for (int i = 0; i < rows.Length; i++)
        {
            offsets[i] = rows[i].Shares >= 0 ? offsets[rows[i].Shares] : offsets[i];
            backward = rows[i].Kind == BufferKind.Scratch && rows[i].Last >= table.ForwardOps ? Math.Max(backward, offsets[i] + bytes[i]) : backward;
        }

        return new FramePlan(
            table, bytes, offsets, input >= 0 ? offsets[input] : 0, outputOffset, Math.Max(peak, slab), backward, keepsInput, saved ?? profile.Activation);
    }

    /// <summary>Bytes of a row, padded and aligned; 0 where it has no memory.</summary>
    public static long Bytes(FrameBuffer row, Sizes sizes, BackendProfile profile, DType? saved = null)
    {
        if (row.Kind == BufferKind.Absent)
        {
            return 0;
        }

        return profile.MatrixBytes(row.Rows.Evaluate(sizes), row.Columns.Evaluate(sizes), row.TypeOn(profile, saved ?? profile.Activation));
    }

    private static List<int> Order(FrameBuffer[] rows, BufferKind kind, Comparison<int> compare)
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
}
