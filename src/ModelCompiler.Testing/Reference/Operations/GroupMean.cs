using ModelCompiler.Backends;
using ModelCompiler.Tensors;

namespace ModelCompiler.Testing.Reference;

public sealed unsafe partial class ReferenceBackend
{
    /// <inheritdoc/>
    public void GroupMean(Tensor x, Tensor y)
    {
        for (int t = 0; t < y.Rows; t++)
        {
            Span<double> xt = Row(x, t);
            Span<double> yt = Row(y, t);
            int size = xt.Length / yt.Length;
            for (int group = 0; group < yt.Length; group++)
            {
                double sum = 0;
                foreach (double value in xt.Slice(group * size, size))
                {
                    sum += value;
                }

                yt[group] = sum / size;
            }
        }
    }

    /// <inheritdoc/>
    public void GroupMeanGradient(Tensor dy, Tensor dx, Tensor addend = default)
    {
        for (int t = 0; t < dx.Rows; t++)
        {
            Span<double> dyt = Row(dy, t);
            Span<double> dxt = Row(dx, t);
            int size = dxt.Length / dyt.Length;
            for (int i = 0; i < dxt.Length; i++)
            {
                dxt[i] = dyt[i / size] / size + (addend.IsNone ? 0 : Row(addend, t)[i]);
            }
        }
    }
}
