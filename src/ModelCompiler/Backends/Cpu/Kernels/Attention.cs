using ModelCompiler.Operations;
using ModelCompiler.Tensors;

namespace ModelCompiler.Backends.Cpu;

public sealed unsafe partial class CpuBackend
{
    /// <inheritdoc/>
    public void Attention(Tensor q, Tensor k, Tensor v, Tensor o, Tensor logSumExp, AttentionShape shape)
    {
        Attend(HeadsOf(q, k, v, shape), q, k, v, o, logSumExp);
    }

    private void Attend(in AttentionHeads heads, Tensor q, Tensor k, Tensor v, Tensor o, Tensor logSumExp)
    {
        var attention = new AttentionForward
        {
            Heads = heads,
            Q = Floats(q),
            K = Floats(k),
            V = Floats(v),
            O = Floats(o),
            LogSumExp = Floats(logSumExp),
            QStride = q.Stride,
            KStride = k.Stride,
            VStride = v.Stride,
            OStride = o.Stride,
            LogSumExpStride = logSumExp.Stride,
            Workspace = Scratch(0),
            WorkspacePerThread = workspacePerThread,
            ScratchBytes = Profile.ScratchPerThread,
        };
        AttentionForward.Run(&attention, team);
    }

    /// <summary>The heads of a training step: as many keys as queries, from position 0.</summary>
    private AttentionHeads HeadsOf(Tensor q, Tensor k, Tensor v, AttentionShape shape)
    {
        shape.Check(q.Columns);
        RequireShape(k, q.Rows, shape.KeyValueWidth);
        RequireShape(v, q.Rows, shape.KeyValueWidth);
        if (q.Rows % Step.Sequence != 0)
        {
            throw new ArgumentException($"{q} does not divide into sequences of {Step.Sequence} rows.");
        }

        return new AttentionHeads
        {
            Batch = q.Rows / Step.Sequence,
            Sequence = Step.Sequence,
            KeyRows = Step.Sequence,
            Heads = shape.Heads,
            KeyValueHeads = shape.KeyValueHeads,
            Width = shape.HeadWidth,
        };
    }
}
