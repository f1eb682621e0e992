using ModelCompiler.Backends;
using ModelCompiler.Tensors;

namespace ModelCompiler.Testing.Reference;

public sealed unsafe partial class ReferenceBackend
{
    /// <inheritdoc/>
    public void AdamE(Tensor w, Tensor g, Tensor m, Tensor v, in AdamWStep step, double lasso)
    {
        AdamW(w, g, m, v, step with { WeightDecay = 0 });
        double threshold = step.LearningRate * lasso;
        for (int r = 0; r < w.Rows; r++)
        {
            Span<double> weight = Row(w, r);
            for (int i = 0; i < weight.Length; i++)
            {
                double p = weight[i];
                double sign = p > threshold ? 1 : p < -threshold ? -1 : 0;
                weight[i] = p * (1 - step.LearningRate * step.WeightDecay) - threshold * sign;
            }
        }
    }
}
