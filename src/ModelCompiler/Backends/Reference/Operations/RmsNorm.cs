using ModelCompiler.Tensors;

namespace ModelCompiler.Backends.Reference;

public sealed unsafe partial class ReferenceBackend
{
    /// <inheritdoc/>
    public void RmsNorm(Tensor x, Tensor w, Tensor y, Tensor rstd, float epsilon)
    {
        ReadOnlySpan<double> weight = WeightRow(w, 0);
        for (int t = 0; t < x.Rows; t++)
        {
            ReadOnlySpan<double> xt = Row(x, t);
            double r = 1 / Math.Sqrt(Dot(xt, xt) / xt.Length + epsilon);
            if (!rstd.IsNone)
            {
                Row(rstd, t)[0] = r;
            }

            if (!y.IsNone)
            {
                Span<double> yt = Row(y, t);
                for (int i = 0; i < yt.Length; i++)
                {
                    yt[i] = xt[i] * r * weight[i];
                }
            }
        }
    }

    /// <inheritdoc/>
    public void RmsNormGradient(Tensor dy, Tensor x, Tensor w, Tensor rstd, Tensor dx, Tensor plus = default)
    {
        ReadOnlySpan<double> weight = WeightRow(w, 0);
        for (int t = 0; t < dx.Rows; t++)
        {
            ReadOnlySpan<double> dyt = Row(dy, t);
            ReadOnlySpan<double> xt = Row(x, t);
            Span<double> dxt = Row(dx, t);
            double r = Row(rstd, t)[0];
            double mean = 0;
            for (int i = 0; i < xt.Length; i++)
            {
                mean += dyt[i] * weight[i] * xt[i] / xt.Length;
            }

            for (int i = 0; i < xt.Length; i++)
            {
                double c = plus.IsNone ? 0 : Row(plus, t)[i];
                dxt[i] = r * (dyt[i] * weight[i] - xt[i] * r * r * mean) + c;
            }
        }
    }

    /// <inheritdoc/>
    public void RmsNormGradientWeight(Tensor dy, Tensor x, Tensor rstd, Tensor dw)
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
            double r = Row(rstd, t)[0];
            for (int i = 0; i < sum.Length; i++)
            {
                sum[i] += dyt[i] * xt[i] * r;
            }
        }
    }
}
