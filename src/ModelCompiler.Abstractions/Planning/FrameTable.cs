namespace ModelCompiler.Planning;

/// <summary>Where a row of a frame lives.</summary>
public enum BufferKind
{
    /// <summary>Nobody reads it in this variant and policy: its handle is none.</summary>
    Absent,

    /// <summary>The residual stream coming in: the output of the frame below.</summary>
    Input,

    /// <summary>The residual stream going out: the input of the frame above.</summary>
    Output,

    /// <summary>The last residual stream: all of it in the loss, which takes rows by index; the rows asked for in the head.</summary>
    Hidden,

    /// <summary>The gradient of the residual stream: one buffer for all layers, updated in place.</summary>
    ResidualGradient,

    /// <summary>Written in forward, read in backward.</summary>
    Saved,

    /// <summary>Needed only while its layer runs.</summary>
    Scratch,
}

/// <summary>One name of a frame's buffer. Several names share a buffer where an operation works in place.</summary>
/// <param name="Name">The name of its property in generated code.</param>
/// <param name="Rows">Rows.</param>
/// <param name="Columns">Columns.</param>
/// <param name="Kind">Where it lives.</param>
/// <param name="First">Position of the operation that first writes it; forward counts from 0, backward goes on.</param>
/// <param name="Last">Position of the last operation that reads it.</param>
/// <param name="Shares">Index of the row whose memory this one is; -1: it has its own.</param>
/// <param name="Statistic">Whether it is a number or two of a row, such as a norm's deviation or a log-sum-exp, which 16 bits would spoil.</param>
public sealed record FrameBuffer(string Name, Dim Rows, Dim Columns, BufferKind Kind, int First, int Last, int Shares = -1, bool Statistic = false)
{
    /// <summary>Whether a plan may keep it in 16 bits: what is saved of each token.</summary>
    public bool Narrows => Kind == BufferKind.Saved && !Statistic && Rows == Dim.Tokens;

    /// <summary>Its element type on a backend: what is computed of tokens has that of activations, statistics and what is computed of parameters alone have not.</summary>
    /// <param name="profile">The backend.</param>
    /// <param name="saved">Element type of what <see cref="Narrows"/>.</param>
    public DType TypeOn(BackendProfile profile, DType saved) =>
        Narrows ? saved : !Statistic && Rows.Symbol is DimSymbol.Tokens or DimSymbol.Rows ? profile.Activation : profile.Compute;
}

/// <summary>What one direction of a region does.</summary>
/// <param name="Operations">Number of operations.</param>
/// <param name="Flops">Floating-point operations.</param>
/// <param name="Traffic">What it reads and writes.</param>
public readonly record struct Work(int Operations, Flops Flops, Traffic Traffic);

/// <summary>The buffers of one region in one variant under one checkpointing policy.</summary>
/// <param name="Name">Name of the region and variant.</param>
/// <param name="Buffers">The buffers.</param>
/// <param name="Forward">What forward does.</param>
/// <param name="Backward">What backward does, with what it recomputes.</param>
/// <param name="OutputOverInput">Whether the output may take the input's memory.</param>
public sealed record FrameTable(string Name, FrameBuffer[] Buffers, Work Forward = default, Work Backward = default, bool OutputOverInput = false)
{
    /// <summary>Number of forward operations.</summary>
    public int ForwardOps => Forward.Operations;

    /// <summary>Number of backward operations.</summary>
    public int BackwardOps => Backward.Operations;

    /// <summary>Whether anything that forward writes outlives it.</summary>
    public bool Saves { get; } = Buffers.Any(static r => r.Kind == BufferKind.Saved);

    /// <summary>Whether backward reads the input.</summary>
    public bool ReadsInputAgain { get; } = Buffers.Any(r => r.Kind == BufferKind.Input && r.Last >= Forward.Operations);

    /// <summary>
    /// The widths of the operands that one operation has among the rows that a plan may keep in 16 bits; of all operations, those that
    /// no other's cover.
    /// </summary>
    public Dim[][] Widened { get; init; } = [];
}
