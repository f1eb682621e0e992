using ModelCompiler.Backends;
using ModelCompiler.Tensors;

namespace ModelCompiler.Testing.Reference;

public sealed unsafe partial class ReferenceBackend
{
    /// <inheritdoc/>
    public void AdamW(Tensor w, Tensor g, Tensor m, Tensor v, in AdamWStep step)
    {
        double firstCorrection = 1 - Math.Pow(step.Beta1, step.Count);
        double secondCorrection = 1 - Math.Pow(step.Beta2, step.Count);
        for (int r = 0; r < w.Rows; r++)
        {
            Span<double> weight = Row(w, r);
            Span<double> gradient = Row(g, r);
            Span<double> first = Row(m, r);
            Span<double> second = Row(v, r);
            for (int i = 0; i < weight.Length; i++)
            {
                double scaled = step.GradientScale * gradient[i];
                first[i] = step.Beta1 * first[i] + (1 - step.Beta1) * scaled;
                second[i] = step.Beta2 * second[i] + (1 - step.Beta2) * scaled * scaled;
                double update = first[i] / firstCorrection / (Math.Sqrt(second[i] / secondCorrection) + step.Epsilon);
                weight[i] -= step.LearningRate * (update + step.WeightDecay * weight[i]);
            }
        }
    }
}
