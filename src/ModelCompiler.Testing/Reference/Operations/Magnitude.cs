using ModelCompiler.Backends;
using ModelCompiler.Tensors;

namespace ModelCompiler.Testing.Reference;

public sealed unsafe partial class ReferenceBackend
{
    /// <inheritdoc/>
    public void InverseRowNorm(Tensor squares, Tensor b, Tensor inner, Tensor gram, Tensor inverse, float scale = 1)
    {
        for (int o = 0; o < inverse.Columns; o++)
        {
            ReadOnlySpan<double> row = WeightRow(b, o);
            double sum = Row(squares, 0)[o];
            for (int k = 0; k < row.Length; k++)
            {
                double product = 0;
                for (int l = 0; l < row.Length; l++)
                {
                    product += Row(gram, k)[l] * row[l];
                }

                sum += scale * row[k] * (2 * Row(inner, k)[o] + scale * product);
            }

            Row(inverse, 0)[o] = sum > 0 ? 1 / Math.Sqrt(sum) : 0;
        }
    }

    /// <inheritdoc/>
    public void Magnitude(Tensor z, Tensor m, Tensor inverse, Tensor y, Tensor bias = default, Tensor addend = default)
    {
        for (int t = 0; t < y.Rows; t++)
        {
            Span<double> yt = Row(y, t);
            for (int i = 0; i < yt.Length; i++)
            {
                yt[i] = Row(z, t)[i] * (WeightRow(m, 0)[i] * Row(inverse, 0)[i]) + (bias.IsNone ? 0 : WeightRow(bias, 0)[i]) + (addend.IsNone ? 0 : Row(addend, t)[i]);
            }
        }
    }

    /// <inheritdoc/>
    public void MagnitudeGradient(Tensor dy, Tensor z, Tensor inverse, Tensor dm)
    {
        for (int t = 0; t < dy.Rows && !dm.IsNone; t++)
        {
            Span<double> sum = Row(dm, 0);
            for (int i = 0; i < sum.Length; i++)
            {
                sum[i] += Row(dy, t)[i] * Row(z, t)[i] * Row(inverse, 0)[i];
            }
        }
    }
}
