namespace ModelCompiler.Planning;

/// <summary>Where a layer's frame lies.</summary>
/// <param name="Plan">Its buffers, above its base.</param>
/// <param name="Base">Byte offset of its base in the arena.</param>
public readonly record struct StackedFrame(FramePlan Plan, long Base)
{
    /// <summary>Byte offset of the layer's input.</summary>
    public long Input => Base + Plan.InputOffset;

    /// <summary>Byte offset of the layer's output.</summary>
    public long Output => Base + Plan.OutputOffset;

    /// <summary>One past the highest byte the frame ever uses.</summary>
    public long Peak => Base + Plan.Peak;
}

/// <summary>
/// The layers' frames, each on top of what the layers below keep. Backward finds them where forward left them, except that of a layer
/// whose values were not kept: it is recomputed on top of the input that was.
/// </summary>
/// <param name="Forward">A layer's frame while forward runs.</param>
/// <param name="Backward">A layer's frame while its backward runs.</param>
/// <param name="Segments">Which layers are recomputed together; null where nothing is recomputed from an input alone.</param>
/// <param name="Hidden">Where the last residual stream lies.</param>
public sealed record FrameStack(StackedFrame[] Forward, StackedFrame[] Backward, Segments? Segments, long Hidden)
{
    /// <summary>One past the highest byte of all frames.</summary>
    public long Peak => Forward.Concat(Backward).Select(static f => f.Peak).DefaultIfEmpty().Max();

    /// <summary>One past the highest byte of the frames while backward runs, and with it what is recomputed.</summary>
    public long BackwardPeak => Backward.Where(static f => f.Plan.Table.BackwardOps > 0)
        .Select(f => Segments is null ? f.Base + f.Plan.BackwardPeak : f.Peak).DefaultIfEmpty().Max();

    /// <summary>What backward of a layer reads: what was kept, or, as the highest of its segment, only the layer's input.</summary>
    public Checkpointing PolicyOf(int layer, Checkpointing plan) =>
        Segments is not { } segments ? plan : segments.IsHighest(layer) ? Checkpointing.Block : Checkpointing.Selective;

    /// <summary>The first of the layers that run forward again before the backward of a layer; the layer itself where none do.</summary>
    public int FirstRecomputed(int layer) => Segments is { } segments && segments.IsHighest(layer) ? segments.LowestOf(layer) : layer;
}

/// <summary>The layers that backward reaches, in runs of which one input is kept.</summary>
/// <param name="First">The lowest layer that backward reaches.</param>
/// <param name="Layers">Number of layers.</param>
/// <param name="Every">Layers of a run; the highest run may be shorter.</param>
public readonly record struct Segments(int First, int Layers, int Every)
{
    /// <summary>The lowest layer of a layer's run.</summary>
    public int LowestOf(int layer) => layer - (layer - First) % Every;

    /// <summary>Whether a layer is the lowest of a run.</summary>
    public bool IsLowest(int layer) => layer >= First && LowestOf(layer) == layer;

    /// <summary>Whether a layer is the highest of a run.</summary>
    public bool IsHighest(int layer) => layer >= First && (layer == Layers - 1 || LowestOf(layer + 1) == layer + 1);
}

/// <summary>Stacks frames.</summary>
/// <param name="tables">The model.</param>
/// <param name="sizesIn">The sizes that a layer's frame must have room for.</param>
/// <param name="alike">Whether these are the same in all layers.</param>
/// <param name="profile">The backend.</param>
/// <param name="saved">Element type of the saved values that may be narrowed.</param>
/// <param name="share">Whether buffers may share memory.</param>
internal sealed class FrameStacking(ModelTables tables, Func<int, Sizes> sizesIn, bool alike, BackendProfile profile, DType saved, bool share)
{
    private readonly Dictionary<(int Layer, Role Role, bool Above, bool Keeps, bool Raised), FramePlan> _plans = [];
    private long _input;
    private bool _above;

    /// <summary>Which of a variant's frames a layer has.</summary>
    private enum Role
    {
        None,
        Selective,
        Pass,
        Recompute,
        Decode,
    }

    /// <summary>Stacks the frames of a training step. Frames are planned once, whatever the policies they are asked for.</summary>
    /// <param name="input">Where the first layer's input lies.</param>
    /// <param name="policy">What is kept from forward for backward.</param>
    /// <param name="every">With block checkpointing, layers of which one input is kept.</param>
    public FrameStack Train(long input, Checkpointing policy, int every)
    {
        if (policy != Checkpointing.Block)
        {
            return Once(input, policy == Checkpointing.None ? Role.None : Role.Selective);
        }

        var segments = new Segments(tables.LowestTrained, tables.Layers, every);
        (_input, _above) = (input, false);
        var forward = new StackedFrame[tables.Layers];
        for (int layer = 0; layer < forward.Length; layer++)
        {
            bool lowest = segments.IsLowest(layer);
            forward[layer] = Next(layer, Role.Pass, lowest, lowest && EndsUp(segments, layer));
        }

        long hidden = _input;
        var backward = (StackedFrame[])forward.Clone();
        for (int layer = segments.First; layer < tables.Layers; layer++)
        {
            if (segments.IsLowest(layer))
            {
                (_input, _above) = (forward[layer].Input, false);
            }

            backward[layer] = Next(layer, segments.IsHighest(layer) ? Role.Recompute : Role.Selective);
        }

        return new FrameStack(forward, backward, segments, hidden);
    }

    /// <summary>Stacks the frames of a step of generation.</summary>
    /// <param name="input">Where the first layer's input lies.</param>
    public FrameStack Decode(long input) => Once(input, Role.Decode);

    private FrameStack Once(long input, Role role)
    {
        (_input, _above) = (input, false);
        var frames = new StackedFrame[tables.Layers];
        for (int layer = 0; layer < frames.Length; layer++)
        {
            frames[layer] = Next(layer, role);
        }

        return new FrameStack(frames, frames, null, _input);
    }

    private VariantFrames VariantOf(int layer) => tables.Variants[tables.VariantOf(layer)];

    /// <summary>Whether the outputs of a segment, which take turns from its lowest layer on, would end in the upper place, and leave a gap for good.</summary>
    private bool EndsUp(Segments segments, int lowest)
    {
        int others = 0;
        for (int layer = lowest + 1; layer < tables.Layers && segments.LowestOf(layer) == lowest; layer++)
        {
            if (!Alternates(VariantOf(layer).Pass))
            {
                return false;
            }

            others++;
        }

        return others % 2 == 1;
    }

    private bool Alternates(FrameTable table) => share && !table.Saves && !table.ReadsInputAgain && !table.OutputOverInput;

    /// <summary>Puts a layer's frame on top. One that keeps nothing and cannot overwrite its input takes turns with the next: up, then down.</summary>
    private StackedFrame Next(int layer, Role role, bool keepsInput = false, bool raised = false)
    {
        VariantFrames variant = VariantOf(layer);
        FrameTable table = role switch
        {
            Role.None => variant.None,
            Role.Selective => variant.Selective,
            Role.Pass => variant.Pass,
            Role.Recompute => variant.Recompute,
            _ => variant.Decode,
        };
        bool alternates = Alternates(table) && !keepsInput;
        _above = alternates && _above;
        var key = (alike ? variant.Layers.First : layer, role, _above, keepsInput, raised);
        if (!_plans.TryGetValue(key, out FramePlan? plan))
        {
            plan = FramePlanner.Plan(table, sizesIn(layer), profile, _above, keepsInput, raised, share, saved);
            _plans.Add(key, plan);
        }

        var frame = new StackedFrame(plan, _input - plan.InputOffset);
        _input = frame.Output;
        _above = raised || (alternates && !_above);
        return frame;
    }
}
