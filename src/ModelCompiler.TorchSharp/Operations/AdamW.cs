using ModelCompiler.Backends;
using ModelCompiler.Tensors;
using TorchSharp;

namespace ModelCompiler.Torch;

public sealed partial class TorchBackend
{
    /// <inheritdoc/>
    public void AdamW(Tensor w, Tensor g, Tensor m, Tensor v, in AdamWStep step)
    {
        foreach ((int first, int count) in InTurn(w.Rows, w.Columns, matrices: 1))
        {
            using Work work = Begin();
            TorchTensor gradient = View(g.Slice(first, count));
            TorchTensor moment = View(m.Slice(first, count)).mul_(Number(step.Beta1)).add_(gradient, Number((1 - step.Beta1) * step.GradientScale));
            View(v.Slice(first, count)).mul_(Number(step.Beta2)).addcmul_(gradient, gradient, Number((1 - step.Beta2) * step.GradientScale * step.GradientScale));
            TorchTensor weights = View(w.Slice(first, count));
            (step.Decay == 0 ? weights : weights.mul_(Number(1 - step.Rate * step.Decay)))
                .addcdiv_(moment, Denominator(ScratchOf(v.Slice(first, count)), step), Number(-StepSize(step)));
        }
    }

    /// <inheritdoc/>
    public void AdamE(Tensor w, Tensor g, Tensor m, Tensor v, in AdamWStep step, double lasso)
    {
        AdamW(w, g, m, v, step with { Decay = 0 });
        double threshold = step.Rate * lasso;
        foreach ((int first, int count) in InTurn(w.Rows, w.Columns, matrices: 1))
        {
            using Work work = Begin();
            TorchTensor weights = View(w.Slice(first, count));
            TorchTensor sign = ScratchOf(w.Slice(first, count)).sign_().masked_fill_(weights.abs().le(Number(threshold)), Number(0));
            weights.mul_(Number(1 - step.Rate * step.Decay)).add_(sign, Number(-threshold));
        }
    }

    /// <summary>√v + ε √(1 − β2^t), over v: the denominator times √(1 − β2^t), which <see cref="StepSize"/> has too.</summary>
    private TorchTensor Denominator(TorchTensor v, in AdamWStep step) => v.sqrt_().add_(Number(step.Epsilon * SecondCorrection(step)), Number(1));

    /// <summary>rate √(1 − β2^t) / (1 − β1^t).</summary>
    private static double StepSize(in AdamWStep step) => step.Rate * SecondCorrection(step) / (1 - Math.Pow(step.Beta1, step.Count));

    private static double SecondCorrection(in AdamWStep step) => Math.Sqrt(1 - Math.Pow(step.Beta2, step.Count));
}
