using ModelCompiler.Tensors;

namespace ModelCompiler.Backends.Cpu;

public sealed unsafe partial class CpuBackend
{
    /// <inheritdoc/>
    public void Attention(Tensor q, Tensor k, Tensor v, Tensor o, Tensor logSumExp, int heads, int keyValueHeads)
    {
        AttentionHeads shape = HeadsOf(q, k, v, heads, keyValueHeads);
        Attend(shape, q, k, v, o, logSumExp);
    }

    private void Attend(in AttentionHeads shape, Tensor q, Tensor k, Tensor v, Tensor o, Tensor logSumExp)
    {
        var attention = new AttentionForward
        {
            Heads = shape,
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
    private AttentionHeads HeadsOf(Tensor q, Tensor k, Tensor v, int heads, int keyValueHeads)
    {
        if (heads <= 0 || keyValueHeads <= 0 || heads % keyValueHeads != 0 || q.Columns % heads != 0)
        {
            throw new ArgumentException($"{q} does not divide into {heads} heads over {keyValueHeads} key heads.");
        }

        int width = q.Columns / heads;
        RequireShape(k, q.Rows, keyValueHeads * width);
        RequireShape(v, q.Rows, keyValueHeads * width);
        if (q.Rows % Step.Sequence != 0)
        {
            throw new ArgumentException($"{q} does not divide into sequences of {Step.Sequence} rows.");
        }

        return new AttentionHeads
        {
            Batch = q.Rows / Step.Sequence,
            Sequence = Step.Sequence,
            KeyRows = Step.Sequence,
            Heads = heads,
            KeyValueHeads = keyValueHeads,
            Width = width,
        };
    }
}
