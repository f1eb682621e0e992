using ModelCompiler.Backends;
using ModelCompiler.Tensors;

namespace ModelCompiler.Testing.Reference;

public sealed unsafe partial class ReferenceBackend
{
    /// <inheritdoc/>
    public void ScaleChannels(Tensor x, Tensor g, Tensor y, Tensor addend = default)
    {
        ReadOnlySpan<double> factor = WeightRow(g, 0);
        for (int t = 0; t < y.Rows; t++)
        {
            Span<double> xt = Row(x, t);
            Span<double> yt = Row(y, t);
            for (int i = 0; i < yt.Length; i++)
            {
                yt[i] = xt[i] * factor[i] + (addend.IsNone ? 0 : Row(addend, t)[i]);
            }
        }
    }

    /// <inheritdoc/>
    public void ShrinkGates(Tensor c, double threshold)
    {
        for (int r = 0; r < c.Rows; r++)
        {
            foreach (ref double gate in Row(c, r))
            {
                gate = Math.Clamp(gate - threshold, 0, 1);
            }
        }
    }

    /// <inheritdoc/>
    public void ScaleChannelsGradientWeight(Tensor dy, Tensor x, Tensor dg)
    {
        if (dg.IsNone)
        {
            return;
        }

        Span<double> sum = Row(dg, 0);
        for (int t = 0; t < dy.Rows; t++)
        {
            Span<double> dyt = Row(dy, t);
            Span<double> xt = Row(x, t);
            for (int i = 0; i < sum.Length; i++)
            {
                sum[i] += dyt[i] * xt[i];
            }
        }
    }
}
