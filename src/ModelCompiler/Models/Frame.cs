using ModelCompiler.Planning;
using ModelCompiler.Tensors;

namespace ModelCompiler.Models;

/// <summary>The handles of one frame at fixed sizes, relative to its base. Built once, used by every layer that shares the plan.</summary>
internal sealed class FrameHandles
{
    private readonly Tensor[] _handles;
    private readonly BufferKind[] _kinds;
    private readonly bool[] _inChunks;

    public FrameHandles(FramePlan plan, Sizes sizes, BackendProfile profile)
    {
        FrameBuffer[] rows = plan.Table.Buffers;
        _handles = new Tensor[rows.Length];
        _kinds = new BufferKind[rows.Length];
        _inChunks = new bool[rows.Length];
        for (int i = 0; i < rows.Length; i++)
        {
            int columns = rows[i].Columns.Evaluate(sizes);
            DType type = plan.TypeOf(rows[i], profile);
            _kinds[i] = rows[i].Kind;
            _inChunks[i] = rows[i].Rows.Symbol == DimSymbol.Rows;
            _handles[i] = new Tensor(plan.Offsets[i], rows[i].Rows.Evaluate(sizes), columns, profile.RowStride(columns, type), type);
        }
    }

    public Tensor At(int row, long origin, in Frame frame) => _kinds[row] switch
    {
        BufferKind.Absent => Tensor.None,
        BufferKind.Hidden => frame.Hidden,
        BufferKind.ResidualGradient => frame.ResidualGradient,
        _ => _handles[row] with { Offset = _handles[row].Offset + origin, Rows = _inChunks[row] ? frame.Rows : _handles[row].Rows },
    };
}

/// <summary>One frame of the stack: where the buffers of a layer, or of a chunk of the loss, lie right now.</summary>
public readonly struct Frame
{
    private readonly FrameHandles _handles;
    private readonly long _origin;

    internal Frame(FrameHandles handles, long origin, Tensor residualGradient)
    {
        (_handles, _origin) = (handles, origin);
        ResidualGradient = residualGradient;
    }

    /// <summary>The gradient of the residual stream.</summary>
    public Tensor ResidualGradient { get; }

    /// <summary>In the loss: the last residual stream. In the head: the rows of it that are asked for.</summary>
    public Tensor Hidden { get; init; }

    /// <summary>In the loss: indices of the chunk's rows among all tokens.</summary>
    public Tensor LossRows { get; init; }

    /// <summary>In the loss: the chunk's targets.</summary>
    public Tensor Targets { get; init; }

    /// <summary>In the loss: place of the chunk's first row among the rows of all chunks.</summary>
    public int FirstRow { get; init; }

    /// <summary>In the loss and the head: number of rows.</summary>
    public int Rows { get; init; }

    /// <summary>The handle of a buffer; none where this variant and policy do not have it.</summary>
    public Tensor At(int row) => _handles.At(row, _origin, this);
}
