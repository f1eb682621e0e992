using ModelCompiler.Backends;
using ModelCompiler.Cuda.Launch;
using ModelCompiler.Planning;
using ModelCompiler.Tensors;

namespace ModelCompiler.Cuda;

/// <content>The loss, the norm of the gradients and the optimizers.</content>
public sealed unsafe partial class CudaBackend
{
    /// <inheritdoc/>
    public void CrossEntropy(Tensor logits, Tensor targets, Tensor logSumExp, Tensor loss, Tensor weights = default)
    {
        Tensor normalizers = logSumExp.IsNone ? Scratch(0, logits.Rows, 1, DType.Float32) : logSumExp;
        OverRows("cross_entropy_rows", logits.Rows, logits.Columns, Pack(logits, normalizers).Add(logits.Columns), logits.Type);
        Launch(
            "cross_entropy_loss", loss.IsNone ? 0 : 1, 1, _threads, Pack(logits, targets, normalizers, weights).Add(Address(loss)).Add(logits.Rows), logits.Type);
    }

    /// <inheritdoc/>
    public void CrossEntropyGradient(Tensor logits, Tensor targets, Tensor logSumExp, Tensor dLogits, Tensor weights = default) => ForRows(
        "cross_entropy_gradient",
        dLogits.Rows,
        dLogits.Columns,
        Pack(logits, targets, logSumExp, weights, dLogits).Add(Constant(StepAt)).Add(logits.Columns),
        logits.Type);

    /// <inheritdoc/>
    public void SquaredNorm(Tensor x, Tensor sum)
    {
        int parts = sum.IsNone ? 0 : Math.Min(x.Rows, NormParts);
        Launch("squared_norm_parts", parts, 1, _threads, Pack(x).Add(Constant(NormPartsAt)).Add(x.Rows).Add(x.Columns), x.Type);
        Launch("squared_norm_sum", Math.Min(parts, 1), 1, _threads, Pack().Add(Constant(NormPartsAt)).Add(Address(sum)).Add(parts), x.Type);
    }

    /// <inheritdoc/>
    public void AdamW(Tensor w, Tensor g, Tensor m, Tensor v, in AdamWStep step)
    {
        nint scalars = Scalars(step);
        ForRows("adamw", w.Rows, w.Columns, Pack(w, g, m, v).Add(scalars).Add(w.Columns), w.Type);
    }

    /// <inheritdoc/>
    public void AdamE(Tensor w, Tensor g, Tensor m, Tensor v, in AdamWStep step, double lasso)
    {
        nint scalars = Scalars(step, lasso);
        ForRows("adame", w.Rows, w.Columns, Pack(w, g, m, v).Add(scalars).Add(w.Columns), w.Type);
    }

    /// <inheritdoc/>
    public void AdamW8Bit(Tensor w, Tensor g, Tensor m, Tensor v, Tensor mScales, Tensor vScales, in AdamWStep step)
    {
        nint scalars = Scalars(step);
        KernelArguments packed = PackAddresses(w, g, m, v, mScales, vScales)
            .Add(Constant(SignedMapAt)).Add(Constant(UnsignedMapAt)).Add(scalars).Add(w.Count);
        Launch("adamw_8bit", MomentBlock.Count(w.Count), 1, MomentBlock.Elements, packed, w.Type);
    }
}
