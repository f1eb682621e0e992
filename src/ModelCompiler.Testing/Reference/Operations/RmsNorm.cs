using ModelCompiler.Backends;
using ModelCompiler.Operations;
using ModelCompiler.Tensors;

namespace ModelCompiler.Testing.Reference;

public sealed unsafe partial class ReferenceBackend
{
    /// <inheritdoc/>
    public void RmsNorm(Tensor x, Tensor w, Tensor y, Tensor rstd, NormShape shape)
    {
        ReadOnlySpan<double> weight = WeightRow(w, 0);
        for (int t = 0; t < x.Rows; t++)
        {
            for (int run = 0; run < x.Columns / w.Columns; run++)
            {
                ReadOnlySpan<double> xt = Row(x, t).Slice(run * w.Columns, w.Columns);
                double r = 1 / Math.Sqrt(Dot(xt, xt) / xt.Length + shape.Epsilon);
                if (!rstd.IsNone)
                {
                    Row(rstd, t)[run] = r;
                }

                if (!y.IsNone)
                {
                    Span<double> yt = Row(y, t).Slice(run * w.Columns, w.Columns);
                    for (int i = 0; i < yt.Length; i++)
                    {
                        yt[i] = xt[i] * r * weight[i];
                    }
                }
            }
        }
    }

    /// <inheritdoc/>
    public void RmsNormGradient(Tensor dy, Tensor x, Tensor w, Tensor rstd, Tensor dx, Tensor addend = default)
    {
        ReadOnlySpan<double> weight = WeightRow(w, 0);
        for (int t = 0; t < dx.Rows; t++)
        {
            for (int run = 0; run < x.Columns / w.Columns; run++)
            {
                int first = run * w.Columns;
                ReadOnlySpan<double> dyt = Row(dy, t).Slice(first, w.Columns);
                ReadOnlySpan<double> xt = Row(x, t).Slice(first, w.Columns);
                Span<double> dxt = Row(dx, t).Slice(first, w.Columns);
                double r = Row(rstd, t)[run];
                double mean = 0;
                for (int i = 0; i < xt.Length; i++)
                {
                    mean += dyt[i] * weight[i] * xt[i] / xt.Length;
                }

                for (int i = 0; i < xt.Length; i++)
                {
                    double c = addend.IsNone ? 0 : Row(addend, t)[first + i];
                    dxt[i] = r * (dyt[i] * weight[i] - xt[i] * r * r * mean) + c;
                }
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
            ReadOnlySpan<double> r = Row(rstd, t);
            for (int i = 0; i < dyt.Length; i++)
            {
                sum[i % sum.Length] += dyt[i] * xt[i] * r[i / sum.Length];
            }
        }
    }
}
