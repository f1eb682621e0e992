using ModelCompiler.Tensors;
using TorchSharp;

namespace ModelCompiler.Torch;

public sealed partial class TorchBackend
{
    /// <inheritdoc/>
    public void CrossEntropy(Tensor logits, Tensor targets, Tensor logSumExp, Tensor loss, Tensor weights = default)
    {
        foreach ((int first, int count) in InTurn(logits.Rows, logits.Columns, matrices: 1))
        {
            using Work work = Begin();
            TorchTensor rows = View(logits.Slice(first, count));
            TorchTensor maximum = rows.amax([1L], keepdim: true);
            TorchTensor normalizer = Scratch(count, logits.Columns).copy_(rows).sub_(maximum).exp_().sum(1, keepdim: true).log_().add_(maximum, Number(1));
            if (!logSumExp.IsNone)
            {
                View(logSumExp.Slice(first, count)).copy_(normalizer);
            }

            if (!loss.IsNone)
            {
                TorchTensor ids = View(targets.Slice(first, count)).to_type(torch.ScalarType.Int64);
                TorchTensor chosen = rows.gather(1, ids.clamp_min(Number(0)));
                TorchTensor losses = normalizer.sub_(chosen).masked_fill_(ids.lt(Number(0)), Number(0));
                if (!weights.IsNone)
                {
                    losses.mul_(View(weights.Slice(first, count)));
                }

                View(loss).add_(losses.sum(torch.ScalarType.Float64), Number(1));
            }
        }
    }

    /// <inheritdoc/>
    public void CrossEntropyGradient(Tensor logits, Tensor targets, Tensor logSumExp, Tensor dLogits, Tensor weights = default)
    {
        foreach ((int first, int count) in InTurn(dLogits.IsNone ? 0 : logits.Rows, logits.Columns, matrices: 1))
        {
            using Work work = Begin();
            TorchTensor ids = View(targets.Slice(first, count)).to_type(torch.ScalarType.Int64);
            TorchTensor counts = ids.ge(Number(0)).to_type(torch.ScalarType.Float32);
            TorchTensor gradient = ScratchOf(logits.Slice(first, count)).sub_(View(logSumExp.Slice(first, count))).exp_();
            gradient.scatter_add_(1, ids.clamp_min(Number(0)), counts.neg());
            TorchTensor scales = counts.mul_(Number(_step.LossScale));
            if (!weights.IsNone)
            {
                scales.mul_(View(weights.Slice(first, count)));
            }

            View(dLogits.Slice(first, count)).copy_(gradient.mul_(scales));
        }
    }
}
