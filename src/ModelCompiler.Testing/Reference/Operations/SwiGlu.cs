using ModelCompiler.Backends;
using ModelCompiler.Tensors;

namespace ModelCompiler.Testing.Reference;

public sealed unsafe partial class ReferenceBackend
{
    /// <inheritdoc/>
    public void SwiGlu(Tensor gate, Tensor up, Tensor h)
    {
        for (int t = 0; t < h.Rows; t++)
        {
            Span<double> g = Row(gate, t);
            Span<double> u = Row(up, t);
            Span<double> ht = Row(h, t);
            for (int i = 0; i < ht.Length; i++)
            {
                ht[i] = g[i] * Sigmoid(g[i]) * u[i];
            }
        }
    }

    /// <inheritdoc/>
    public void SwiGluGradient(Tensor dh, Tensor gate, Tensor up, Tensor dGate, Tensor dUp, Tensor h = default)
    {
        for (int t = 0; t < dh.Rows; t++)
        {
            Span<double> dht = Row(dh, t);
            Span<double> g = Row(gate, t);
            Span<double> u = Row(up, t);
            Span<double> dg = dGate.IsNone ? default : Row(dGate, t);
            Span<double> du = dUp.IsNone ? default : Row(dUp, t);
            Span<double> ht = h.IsNone ? default : Row(h, t);
            for (int i = 0; i < dht.Length; i++)
            {
                double sigmoid = Sigmoid(g[i]);
                double gateGradient = dht[i] * u[i] * sigmoid * (1 + g[i] * (1 - sigmoid));
                double upGradient = dht[i] * g[i] * sigmoid;
                double hidden = g[i] * Sigmoid(g[i]) * u[i];
                if (!dg.IsEmpty)
                {
                    dg[i] = gateGradient;
                }

                if (!du.IsEmpty)
                {
                    du[i] = upGradient;
                }

                if (!ht.IsEmpty)
                {
                    ht[i] = hidden;
                }
            }
        }
    }

    private static double Sigmoid(double x) => 1 / (1 + Math.Exp(-x));
}
