using ModelCompiler.Backends;
using ModelCompiler.Tensors;

namespace ModelCompiler.Testing.Reference;

public sealed unsafe partial class ReferenceBackend
{
    /// <inheritdoc/>
    public void Gelu(Tensor x, Tensor y)
    {
        for (int t = 0; t < y.Rows; t++)
        {
            Span<double> xt = Row(x, t);
            Span<double> yt = Row(y, t);
            for (int i = 0; i < yt.Length; i++)
            {
                yt[i] = Gelu(xt[i]);
            }
        }
    }

    /// <inheritdoc/>
    public void GeluGradient(Tensor dy, Tensor x, Tensor dx)
    {
        for (int t = 0; t < dx.Rows; t++)
        {
            Span<double> dyt = Row(dy, t);
            Span<double> xt = Row(x, t);
            Span<double> dxt = Row(dx, t);
            for (int i = 0; i < dxt.Length; i++)
            {
                dxt[i] = dyt[i] * GeluDerivative(xt[i]);
            }
        }
    }

    /// <summary>Hendrycks and Gimpel 2016, the tanh form.</summary>
    private static double Gelu(double x) => 0.5 * x * (1 + Math.Tanh(GeluInner(x)));

    private static double GeluDerivative(double x)
    {
        double tanh = Math.Tanh(GeluInner(x));
        double inner = Math.Sqrt(2 / Math.PI) * (1 + 3 * 0.044715 * x * x);
        return 0.5 * (1 + tanh) + 0.5 * x * (1 - tanh * tanh) * inner;
    }

    private static double GeluInner(double x) => Math.Sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x);
}
