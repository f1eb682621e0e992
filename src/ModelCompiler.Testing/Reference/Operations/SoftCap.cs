using ModelCompiler.Backends;
using ModelCompiler.Tensors;

namespace ModelCompiler.Testing.Reference;

public sealed unsafe partial class ReferenceBackend
{
    /// <inheritdoc/>
    public void SoftCap(Tensor x, Tensor y, float cap)
    {
        for (int t = 0; t < y.Rows; t++)
        {
            Span<double> xt = Row(x, t);
            Span<double> yt = Row(y, t);
            for (int i = 0; i < yt.Length; i++)
            {
                yt[i] = cap * Math.Tanh(xt[i] / cap);
            }
        }
    }

    /// <inheritdoc/>
    public void SoftCapGradient(Tensor dy, Tensor y, Tensor dx, float cap)
    {
        for (int t = 0; t < dx.Rows; t++)
        {
            Span<double> dyt = Row(dy, t);
            Span<double> yt = Row(y, t);
            Span<double> dxt = Row(dx, t);
            for (int i = 0; i < dxt.Length; i++)
            {
                double tanh = yt[i] / cap;
                dxt[i] = dyt[i] * (1 - tanh * tanh);
            }
        }
    }
}
