using ModelCompiler.Backends;
using ModelCompiler.Operations;
using ModelCompiler.Tensors;

namespace ModelCompiler.Testing.Reference;

public sealed unsafe partial class ReferenceBackend
{
    /// <inheritdoc/>
    public void LayerNorm(Tensor x, Tensor w, Tensor b, Tensor y, Tensor statistics, NormShape shape)
    {
        ReadOnlySpan<double> weight = WeightRow(w, 0);
        ReadOnlySpan<double> bias = b.IsNone ? default : WeightRow(b, 0);
        for (int t = 0; t < x.Rows; t++)
        {
            ReadOnlySpan<double> xt = Row(x, t);
            double mean = 0;
            foreach (double value in xt)
            {
                mean += value / xt.Length;
            }

            double variance = 0;
            foreach (double value in xt)
            {
                variance += (value - mean) * (value - mean) / xt.Length;
            }

            double r = 1 / Math.Sqrt(variance + shape.Epsilon);
            if (!statistics.IsNone)
            {
                Span<double> both = Row(statistics, t);
                both[0] = mean;
                both[1] = r;
            }

            if (!y.IsNone)
            {
                Span<double> yt = Row(y, t);
                for (int i = 0; i < yt.Length; i++)
                {
                    yt[i] = (xt[i] - mean) * r * weight[i] + (b.IsNone ? 0 : bias[i]);
                }
            }
        }
    }

    /// <inheritdoc/>
    public void LayerNormGradient(Tensor dy, Tensor x, Tensor w, Tensor statistics, Tensor dx, Tensor addend = default)
    {
        ReadOnlySpan<double> weight = WeightRow(w, 0);
        for (int t = 0; t < dx.Rows; t++)
        {
            ReadOnlySpan<double> dyt = Row(dy, t);
            ReadOnlySpan<double> xt = Row(x, t);
            Span<double> dxt = Row(dx, t);
            double mean = Row(statistics, t)[0];
            double r = Row(statistics, t)[1];
            double meanG = 0;
            double meanGx = 0;
            for (int i = 0; i < xt.Length; i++)
            {
                double g = dyt[i] * weight[i];
                meanG += g / xt.Length;
                meanGx += g * (xt[i] - mean) * r / xt.Length;
            }

            for (int i = 0; i < xt.Length; i++)
            {
                double c = addend.IsNone ? 0 : Row(addend, t)[i];
                double normalized = (xt[i] - mean) * r;
                dxt[i] = r * (dyt[i] * weight[i] - meanG - normalized * meanGx) + c;
            }
        }
    }

    /// <inheritdoc/>
    public void LayerNormGradientWeight(Tensor dy, Tensor x, Tensor statistics, Tensor dw)
    {
        if (dw.IsNone)
        {
            return;
        }

        Span<double> sum = Row(dw, 0);
        for (int t = 0; t < dy.Rows; t++)
        {
            ReadOnlySpan<double> dyt = Row(dy, t);
            ReadOnlySpan<double> xt = Row(x, t);
            double mean = Row(statistics, t)[0];
            double r = Row(statistics, t)[1];
            for (int i = 0; i < sum.Length; i++)
            {
                sum[i] += dyt[i] * (xt[i] - mean) * r;
            }
        }
    }
}
