namespace ModelCompiler.Planning;

/// <summary>The parts of a training step, in the order in which they begin.</summary>
public enum StepPart
{
    /// <summary>Ids to the first residual stream.</summary>
    Prologue,

    /// <summary>A layer's forward pass.</summary>
    Forward,

    /// <summary>A chunk of the loss, forward and backward.</summary>
    Loss,

    /// <summary>A layer's forward pass again, before the backward of a layer above it.</summary>
    Recompute,

    /// <summary>A layer's backward pass.</summary>
    Backward,

    /// <summary>The gradient of the embedding.</summary>
    PrologueBackward,

    /// <summary>The optimizer's step.</summary>
    Update,
}

/// <summary>What is live while one operation runs, in bytes, beside what is live in all of a step.</summary>
/// <param name="Part">The part of the step.</param>
/// <param name="Index">The layer, or the chunk of the loss.</param>
/// <param name="Position">Position of the operation in its frame: forward counts from 0, backward goes on.</param>
/// <param name="KeptInputs">Residual streams that backward has yet to read.</param>
/// <param name="Saved">Saved values that backward has yet to read.</param>
/// <param name="Transient">Values of the layer that runs, or of the chunk; residual streams that nobody keeps.</param>
/// <param name="ResidualGradient">The gradient of the residual stream.</param>
/// <param name="Pages">The buffers that paged moments pass through.</param>
public readonly record struct LiveBytes(
    StepPart Part, int Index, int Position, long KeptInputs = 0, long Saved = 0, long Transient = 0, long ResidualGradient = 0, long Pages = 0)
{
    /// <summary>The sum.</summary>
    public long Total => KeptInputs + Saved + Transient + ResidualGradient + Pages;
}

/// <summary>
/// What is live at each operation of a whole training step, by the lives of the buffers alone: where the planner put them does not
/// enter. No assignment of offsets can do with less than the most of it.
/// </summary>
public static class LiveSet
{
    /// <summary>The least that <see cref="MemoryCost.Peak"/> could be, in bytes, wherever buffers lie.</summary>
    /// <param name="plan">A plan for training.</param>
    public static long LowerBound(Plan plan) => Persistent(plan) + Operations(plan).Max(static o => o.Total);

    /// <summary>Bytes that are live in all of a step: parameters, gradients, moments, inputs, workspace, overhead.</summary>
    public static long Persistent(Plan plan) => plan.Cost.Peak - plan.Cost.Activations - PageBytes(plan);

    /// <summary>Bytes of the buffers that paged moments pass through.</summary>
    public static long PageBytes(Plan plan) => plan.PageBuffers.Sum(p => plan.Profile.Align((long)p.Rows * p.Columns * p.Type.Size()));

    /// <summary>The operations of a step of one micro-batch in which every position has a target, in the order they run.</summary>
    /// <param name="plan">A plan for training.</param>
    public static IEnumerable<LiveBytes> Operations(Plan plan)
    {
        FrameStack stack = plan.Stack;
        IEnumerable<LiveBytes> step = Forward(StepPart.Prologue, 0, plan.Prologue, default);
        LiveBytes kept = Keep(default, plan.Prologue);
        var below = new LiveBytes[plan.Tables.Layers];
        for (int layer = 0; layer < below.Length; layer++)
        {
            FramePlan frame = stack.Forward[layer].Plan;
            bool checkpoint = stack.Segments is { } segments && segments.IsLowest(layer);
            below[layer] = kept;
            step = step.Concat(Forward(StepPart.Forward, layer, frame, kept, checkpoint));
            kept = checkpoint ? kept with { KeptInputs = kept.KeptInputs + BytesOf(frame, static (_, row) => row.Kind == BufferKind.Input) } : Keep(kept, frame);
        }

        step = step.Concat(Loss(plan, kept));
        long gradient = TokenBytes(plan);
        for (int layer = below.Length - 1; layer >= 0; layer--)
        {
            for (int recomputed = stack.FirstRecomputed(layer); recomputed < layer; recomputed++)
            {
                FramePlan frame = stack.Backward[recomputed].Plan;
                step = step.Concat(Forward(StepPart.Recompute, recomputed, frame, below[recomputed] with { ResidualGradient = gradient }));
                below[recomputed + 1] = Keep(below[recomputed], frame);
            }

            step = step.Concat(Backward(StepPart.Backward, layer, stack.Backward[layer].Plan, below[layer], gradient));
        }

        return step
            .Concat(Backward(StepPart.PrologueBackward, 0, plan.Prologue, default, gradient))
            .Append(new LiveBytes(StepPart.Update, 0, 0, Pages: PageBytes(plan)));
    }

    /// <summary>The frame an operation works in; null for the update, which has none.</summary>
    public static FramePlan? FrameOf(Plan plan, LiveBytes operation) => operation.Part switch
    {
        StepPart.Prologue or StepPart.PrologueBackward => plan.Prologue,
        StepPart.Forward => plan.Stack.Forward[operation.Index].Plan,
        StepPart.Loss => plan.Top,
        StepPart.Update => null,
        _ => plan.Stack.Backward[operation.Index].Plan,
    };

    /// <summary>The rows of a frame, by index, whose own memory is live at a position.</summary>
    public static IEnumerable<int> LiveRows(FramePlan frame, int position) =>
        Enumerable.Range(0, frame.Bytes.Length).Where(i => frame.Bytes[i] > 0 && Lives(frame.Table, frame.Table.Buffers[i], position));

    private static IEnumerable<LiveBytes> Forward(StepPart part, int layer, FramePlan frame, LiveBytes below, bool checkpoint = false)
    {
        for (int position = 0; position < frame.Table.ForwardOps; position++)
        {
            yield return Add(below, frame, position, checkpoint) with { Part = part, Index = layer, Position = position };
        }
    }

    private static IEnumerable<LiveBytes> Backward(StepPart part, int layer, FramePlan frame, LiveBytes below, long gradient)
    {
        for (int position = frame.Table.ForwardOps; position < frame.Table.ForwardOps + frame.Table.BackwardOps; position++)
        {
            bool read = frame.Table.Buffers.Any(r => r.Kind == BufferKind.ResidualGradient && Lives(frame.Table, r, position));
            yield return Add(below, frame, position) with { Part = part, Index = layer, Position = position, ResidualGradient = read ? gradient : 0 };
        }
    }

    private static IEnumerable<LiveBytes> Loss(Plan plan, LiveBytes below)
    {
        FrameTable table = plan.Top.Table;
        int chunks = (plan.Sizes.Tokens + plan.Sizes.Rows - 1) / plan.Sizes.Rows;
        long token = TokenBytes(plan);

        // The gradient is set to zero before the first chunk, as rows without a target have none.
        below = below with { ResidualGradient = plan.ResidualGradient.Rows > 0 ? token : 0 };
        for (int chunk = 0; chunk < chunks; chunk++)
        {
            for (int position = 0; position < table.ForwardOps + table.BackwardOps; position++)
            {
                bool hidden = chunk < chunks - 1 || table.Buffers.Any(r => r.Kind == BufferKind.Hidden && Lives(table, r, position));
                LiveBytes own = Add(below, plan.Top, position);
                yield return own with { Part = StepPart.Loss, Index = chunk, Position = position, Transient = own.Transient + (hidden ? token : 0) };
            }
        }
    }

    /// <summary>What lives of a frame's own buffers at a position, added to what lies below it.</summary>
    private static LiveBytes Add(LiveBytes below, FramePlan frame, int position, bool checkpoint = false)
    {
        long kept = BytesOf(frame, (table, row) => row.Kind == BufferKind.Input && (checkpoint || (IsKept(table, row) && Lives(table, row, position))));
        long saved = BytesOf(frame, (table, row) => row.Kind == BufferKind.Saved && Lives(table, row, position));
        long all = BytesOf(frame, (table, row) => Lives(table, row, position) || (checkpoint && row.Kind == BufferKind.Input));
        return below with { KeptInputs = below.KeptInputs + kept, Saved = below.Saved + saved, Transient = below.Transient + all - kept - saved };
    }

    /// <summary>What a frame leaves to backward, added to what lies below it.</summary>
    private static LiveBytes Keep(LiveBytes below, FramePlan frame) => below with
    {
        KeptInputs = below.KeptInputs + BytesOf(frame, static (table, row) => row.Kind == BufferKind.Input && IsKept(table, row)),
        Saved = below.Saved + BytesOf(frame, static (_, row) => row.Kind == BufferKind.Saved),
    };

    private static long BytesOf(FramePlan frame, Func<FrameTable, FrameBuffer, bool> counts)
    {
        long bytes = 0;
        for (int i = 0; i < frame.Bytes.Length; i++)
        {
            bytes += frame.Bytes[i] > 0 && counts(frame.Table, frame.Table.Buffers[i]) ? frame.Bytes[i] : 0;
        }

        return bytes;
    }

    private static bool IsKept(FrameTable table, FrameBuffer row) => row.Last >= table.ForwardOps;

    private static bool Lives(FrameTable table, FrameBuffer row, int position) => row.Kind switch
    {
        BufferKind.Output => row.First <= position && position < table.ForwardOps,

        // Where the output is added up in the input's memory, they are one buffer from there on.
        BufferKind.Input when table.OutputOverInput => position <= row.Last && !table.Buffers.Any(r => r.Kind == BufferKind.Output && r.First <= position),
        _ => row.First <= position && position <= row.Last,
    };

    private static long TokenBytes(Plan plan) => plan.Profile.Align(
        (long)plan.Sizes.Tokens * plan.Profile.RowStride(plan.Tables.Width, plan.Profile.Activation) * plan.Profile.Activation.Size());
}
