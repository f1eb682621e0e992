namespace ModelCompiler.Planning;

/// <summary>Where the frames of a step lie.</summary>
/// <param name="Layers">The layers' frames.</param>
/// <param name="TopBase">Base of the frame of the loss or the head, above the last residual stream.</param>
/// <param name="ResidualGradient">Where the gradient of the residual stream lies; null where there is none.</param>
/// <param name="End">One past the highest byte of all.</param>
internal readonly record struct StackedStep(FrameStack Layers, long TopBase, long? ResidualGradient, long End);

/// <summary>The frames of a step at given sizes: the prologue at the bottom, the layers' on it, the loss or the head on top.</summary>
internal sealed class StepFrames
{
    private readonly ModelTables _tables;
    private readonly Sizes _sizes;
    private readonly BackendProfile _profile;
    private readonly bool _decodes;
    private readonly bool _shares;
    private readonly DType _saved;
    private readonly Func<int, Sizes> _roomIn;
    private readonly FrameStacking _stacking;

    /// <param name="tables">The model.</param>
    /// <param name="options">Whether ranks move and memory is shared.</param>
    /// <param name="sizes">The plan's sizes.</param>
    /// <param name="profile">The backend.</param>
    /// <param name="decodes">Whether the step is one of generation.</param>
    public StepFrames(ModelTables tables, TrainingPlan options, Sizes sizes, BackendProfile profile, bool decodes)
    {
        bool moving = !decodes && options.MoveRanks && tables.Slots.Any(static s => s.Options.MovingRanks);
        (_tables, _sizes, _profile, _decodes, _shares, _saved, _roomIn) = (tables, sizes, profile, decodes, options.ShareMemory, options.SavedOn(profile), RoomIn);
        Prologue = FramePlanner.Plan(tables.Prologue, sizes, profile, share: options.ShareMemory);
        Top = FramePlanner.Plan(decodes ? tables.Head : tables.Loss, RoomIn(-1), profile, share: options.ShareMemory);
        _stacking = new FrameStacking(tables, RoomIn, sizes.Pattern is null, profile, _saved, options.ShareMemory);

        Sizes RoomIn(int layer)
        {
            Sizes now = sizes.In(layer);
            return moving
                ? now with { Ranks = now.Ranks.Zip(tables.Slots, static (rank, slot) => slot.Options.MovingRanks ? slot.MaximumRank : rank).ToArray() }
                : now;
        }
    }

    /// <summary>The prologue's frame, at the base of the stack.</summary>
    public FramePlan Prologue { get; }

    /// <summary>The frame of the loss, or of the head.</summary>
    public FramePlan Top { get; }

    /// <summary>Stacks the layers' frames above the prologue's, and the loss or the head on them.</summary>
    /// <param name="start">Base of the stack.</param>
    /// <param name="policy">What is kept from forward for backward; without meaning when generating.</param>
    /// <param name="every">With block checkpointing, layers of which one input is kept.</param>
    public StackedStep Stack(long start, Checkpointing policy, int every)
    {
        long input = start + Prologue.OutputOffset;
        FrameStack layers = _decodes ? _stacking.Decode(input) : _stacking.Train(input, policy, every);
        long residual = _profile.MatrixBytes(_sizes.Tokens, _tables.Width, _profile.Activation);
        long topBase = layers.Hidden + residual;
        long forwardPeak = Math.Max(start + Prologue.Peak, layers.Peak);

        // The gradient of the residual stream comes into being with the loss: it may lie where only forward reaches, above all that backward uses.
        long end = Math.Max(topBase + Top.Peak, _shares ? Math.Max(start + Prologue.BackwardPeak, layers.BackwardPeak) : forwardPeak);
        bool hasGradient = !_decodes && _tables.Loss.Buffers.Any(static r => r.Kind == BufferKind.ResidualGradient);
        long? gradient = hasGradient ? end : null;
        return new StackedStep(layers, topBase, gradient, Math.Max(end + (hasGradient ? residual : 0), forwardPeak));
    }

    /// <summary>Room for the copies, in the compute type, of what one operation reads and writes of saved values in 16 bits.</summary>
    public long WidenedBytes(FrameStack stack)
    {
        if (_saved == _profile.Activation)
        {
            return 0;
        }

        long most = 0;
        FramePlan? previous = null;
        for (int layer = 0; layer < _tables.Layers; layer++)
        {
            FramePlan frame = stack.Backward[layer].Plan;
            if (!ReferenceEquals(frame, previous))
            {
                Sizes room = _roomIn(layer);
                foreach (Dim[] widths in frame.Table.Widened)
                {
                    most = Math.Max(most, widths.Sum(w => _profile.MatrixBytes(_sizes.Tokens, w.Evaluate(room), _profile.Compute)));
                }
            }

            previous = frame;
        }

        return most;
    }
}
