using ModelCompiler.Planning;
using ModelCompiler.Tensors;

namespace ModelCompiler.Models;

/// <summary>The handles of one frame at fixed sizes, relative to its base. Built once, used by every layer that shares the plan.</summary>
internal sealed class FrameHandles
{
    private readonly Tensor[] _handles;
    private readonly RowKind[] _kinds;

    public FrameHandles(FramePlan plan, Sizes sizes, BackendProfile profile)
    {
        FrameRow[] rows = plan.Table.Rows;
        _handles = new Tensor[rows.Length];
        _kinds = new RowKind[rows.Length];
        for (int i = 0; i < rows.Length; i++)
        {
            int columns = rows[i].Columns.Evaluate(sizes);
            _kinds[i] = rows[i].Kind;
            _handles[i] = new Tensor(plan.Offsets[i], rows[i].Rows.Evaluate(sizes), columns, profile.RowStride(columns, profile.Compute), profile.Compute);
        }
    }

    public Tensor At(int row, long origin, in Frame frame) => _kinds[row] switch
    {
        RowKind.Absent => Tensor.None,
        RowKind.InputRows => frame.Input,
        RowKind.ResidualGradient => frame.ResidualGradient,
        _ => _handles[row] with { Offset = _handles[row].Offset + origin },
    };
}

/// <summary>One frame of the stack: where the buffers of a layer, or of a chunk of the loss, lie right now.</summary>
public readonly struct Frame
{
    private readonly FrameHandles _handles;
    private readonly long _origin;

    internal Frame(FrameHandles handles, long origin, Tensor residualGradient, Tensor input = default, Tensor targets = default, int firstRow = 0)
    {
        (_handles, _origin) = (handles, origin);
        (ResidualGradient, Input, Targets, FirstRow) = (residualGradient, input, targets, firstRow);
    }

    /// <summary>The gradient of the residual stream; in the loss, the chunk's rows of it.</summary>
    public Tensor ResidualGradient { get; }

    /// <summary>In the loss: the chunk's rows of the last residual stream.</summary>
    public Tensor Input { get; }

    /// <summary>In the loss: the chunk's targets.</summary>
    public Tensor Targets { get; }

    /// <summary>In the loss: the chunk's first row.</summary>
    public int FirstRow { get; }

    /// <summary>The handle of a buffer; none where this variant and policy do not have it.</summary>
    public Tensor At(int row) => _handles.At(row, _origin, this);
}
