using ModelCompiler.Operations;
using ModelCompiler.Tensors;

namespace ModelCompiler.Backends.Cpu;

public sealed unsafe partial class CpuBackend
{
    /// <inheritdoc/>
    public void AttentionGradient(
        Tensor dO, Tensor q, Tensor k, Tensor v, Tensor o, Tensor logSumExp, Tensor dq, Tensor dk, Tensor dv, AttentionShape shape)
    {
        RequireShape(dO, q.Rows, q.Columns);
        RequireShape(o, q.Rows, q.Columns);
        RequireShape(logSumExp, q.Rows, shape.Heads);
        var attention = new AttentionBackward
        {
            Heads = HeadsOf(q, k, v, shape),
            DO = Floats(dO),
            Q = Floats(q),
            K = Floats(k),
            V = Floats(v),
            O = Floats(o),
            LogSumExp = Floats(logSumExp),
            DQ = Floats(dq),
            DK = Floats(dk),
            DV = Floats(dv),
            DOStride = dO.Stride,
            QStride = q.Stride,
            KStride = k.Stride,
            VStride = v.Stride,
            OStride = o.Stride,
            LogSumExpStride = logSumExp.Stride,
            DQStride = dq.Stride,
            DKStride = dk.Stride,
            DVStride = dv.Stride,
            Workspace = Scratch(0),
            WorkspacePerThread = workspacePerThread,
            ScratchBytes = Profile.ScratchPerThread,
        };
        AttentionBackward.Run(&attention, team);
    }
}
