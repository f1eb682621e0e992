using ModelCompiler.Backends;
using ModelCompiler.Tensors;

namespace ModelCompiler.Testing.Reference;

public sealed unsafe partial class ReferenceBackend
{
    /// <inheritdoc/>
    public void CrossEntropy(Tensor logits, Tensor targets, Tensor logSumExp, Tensor loss, Tensor weights = default)
    {
        for (int t = 0; t < logits.Rows; t++)
        {
            Span<double> row = Row(logits, t);
            double maximum = double.NegativeInfinity;
            foreach (double value in row)
            {
                maximum = Math.Max(maximum, value);
            }

            double sum = 0;
            foreach (double value in row)
            {
                sum += Math.Exp(value - maximum);
            }

            double normalizer = maximum + Math.Log(sum);
            if (!logSumExp.IsNone)
            {
                Row(logSumExp, t)[0] = normalizer;
            }

            int target = Id(targets, t, logits.Columns);
            if (!loss.IsNone && target >= 0)
            {
                Row(loss, 0)[0] += Weight(weights, t) * (normalizer - row[target]);
            }
        }
    }

    /// <inheritdoc/>
    public void CrossEntropyGradient(Tensor logits, Tensor targets, Tensor logSumExp, Tensor dLogits, Tensor weights = default)
    {
        for (int t = 0; t < dLogits.Rows; t++)
        {
            Span<double> row = Row(logits, t);
            Span<double> gradient = Row(dLogits, t);
            double normalizer = Row(logSumExp, t)[0];
            int target = Id(targets, t, logits.Columns);
            double scale = Step.LossScale * Weight(weights, t);
            for (int i = 0; i < gradient.Length; i++)
            {
                double probability = Math.Exp(row[i] - normalizer);
                gradient[i] = target < 0 ? 0 : scale * (probability - (i == target ? 1 : 0));
            }
        }
    }

    private double Weight(Tensor weights, int t) => weights.IsNone ? 1 : Row(weights, t)[0];
}
