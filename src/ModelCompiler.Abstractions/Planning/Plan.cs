namespace ModelCompiler.Planning;

/// <summary>A planned buffer outside the frames.</summary>
/// <param name="Offset">Byte offset in the arena.</param>
/// <param name="Rows">Rows.</param>
/// <param name="Columns">Columns; rows are contiguous.</param>
/// <param name="Type">Element type.</param>
public readonly record struct Placement(long Offset, int Rows, int Columns, DType Type);

/// <summary>A part of the arena without a shape.</summary>
/// <param name="Offset">Byte offset.</param>
/// <param name="Bytes">Its size.</param>
public readonly record struct MemoryRange(long Offset, long Bytes);

/// <summary>One parameter with its place in the arena.</summary>
/// <param name="Row">The parameter.</param>
/// <param name="Layer">Its layer; -1 outside the layers.</param>
/// <param name="Value">Its value.</param>
/// <param name="Gradient">Its gradient; zero rows where it has none.</param>
/// <param name="Moments">The optimizer's state.</param>
public sealed record ParameterPlan(ParameterInfo Row, int Layer, Placement Value, Placement Gradient, MomentPlan Moments);

/// <summary>Where the moments of one parameter lie; paged ones in host memory, from which their offsets count.</summary>
/// <param name="Storage">How they are kept.</param>
/// <param name="First">The first moment, or its codes, [rows, columns].</param>
/// <param name="Second">The second moment, or its codes, [rows, columns]; zero rows where the rule has one.</param>
/// <param name="FirstScales">Scale of each block of the first moment, [blocks, 1]; zero rows where moments are full.</param>
/// <param name="SecondScales">Scale of each block of the second moment, [blocks, 1]; zero rows where moments are full.</param>
/// <param name="Rule">What updates them; null where nothing is trained.</param>
public readonly record struct MomentPlan(
    MomentStorage Storage, Placement First, Placement Second, Placement FirstScales = default, Placement SecondScales = default, UpdateRule? Rule = null);

/// <summary>
/// Where every byte of a run lies. The plan that predicts is the plan that allocates: <see cref="MemoryCost.Arena"/> of
/// <see cref="Cost"/> is what the backend is asked for, once.
/// </summary>
public sealed record Plan
{
    /// <summary>The model.</summary>
    public required ModelTables Tables { get; init; }

    /// <summary>The backend.</summary>
    public required BackendProfile Profile { get; init; }

    /// <summary>The largest sizes the plan decodes.</summary>
    public required Sizes Sizes { get; init; }

    /// <summary>Whether the plan decodes generation rather than training.</summary>
    public required bool Decodes { get; init; }

    /// <summary>What is kept from forward for backward.</summary>
    public required Checkpointing Checkpointing { get; init; }

    /// <summary>How trainable parameters are updated; without meaning when generating.</summary>
    public required Optimizer Optimizer { get; init; }

    /// <summary>Elements of a parameter whose moments are fetched at once, where they are paged.</summary>
    public required int PageElements { get; init; }

    /// <summary>The two buffers that paged moments pass through: first and second moment of one, then of the other; none where nothing is paged.</summary>
    public required Placement[] PageBuffers { get; init; }

    /// <summary>The terms of the cost.</summary>
    public required MemoryCost Cost { get; init; }

    /// <summary>All parameters; those of a row lie together, by layer.</summary>
    public required ParameterPlan[] Parameters { get; init; }

    /// <summary>Where the adapters with moving ranks lie; null where there are none.</summary>
    public PackedRegions? Packed { get; init; }

    /// <summary>Token ids, [tokens, 1].</summary>
    public required Placement Ids { get; init; }

    /// <summary>Indices of the rows that have a target, [tokens, 1] where all have; zero rows when generating.</summary>
    public required Placement LossRows { get; init; }

    /// <summary>The targets of these rows.</summary>
    public required Placement Targets { get; init; }

    /// <summary>Two scalars: the summed loss, the squared norm of the gradients.</summary>
    public required Placement Scalars { get; init; }

    /// <summary>Where all frames lie, with the gradient of the residual stream (and caches, when generating).</summary>
    public required MemoryRange Activations { get; init; }

    /// <summary>The gradient of the residual stream; zero rows where nothing below the loss is trained, and when generating.</summary>
    public required Placement ResidualGradient { get; init; }

    /// <summary>Key and value caches: index (layer · attentions + attention) · 2, then + 1 for values.</summary>
    public required Placement[] Caches { get; init; }

    /// <summary>Scratch of the kernels.</summary>
    public required MemoryRange Workspace { get; init; }

    /// <summary>Where saved values in 16 bits are widened for one operation; empty where none are kept so.</summary>
    public required MemoryRange Widening { get; init; }

    /// <summary>The layers' frames.</summary>
    public required FrameStack Stack { get; init; }

    /// <summary>The prologue's frame, at the base of the stack.</summary>
    public required FramePlan Prologue { get; init; }

    /// <summary>The frame of the loss, or of the head when generating.</summary>
    public required FramePlan Top { get; init; }

    /// <summary>Base of the top frame, above the last residual stream.</summary>
    public required long TopBase { get; init; }

    /// <summary>Floating-point operations of one micro-step in which every position has a target.</summary>
    public required double FlopsPerMicroStep { get; init; }
}
