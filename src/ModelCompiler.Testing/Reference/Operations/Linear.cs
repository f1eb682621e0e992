using ModelCompiler.Backends;
using ModelCompiler.Tensors;

namespace ModelCompiler.Testing.Reference;

public sealed unsafe partial class ReferenceBackend
{
    /// <inheritdoc/>
    public void Linear(Tensor x, Tensor w, Tensor y, Tensor bias = default, Tensor addend = default, float scale = 1)
    {
        ReadOnlySpan<double> b = bias.IsNone ? default : WeightRow(bias, 0);
        for (int o = 0; o < y.Columns; o++)
        {
            ReadOnlySpan<double> weight = WeightRow(w, o);
            for (int t = 0; t < y.Rows; t++)
            {
                double value = Dot(Row(x, t), weight) + (bias.IsNone ? 0 : b[o]);
                Row(y, t)[o] = scale * value + (addend.IsNone ? 0 : Row(addend, t)[o]);
            }
        }
    }

    /// <inheritdoc/>
    public void LinearGradientInput(Tensor dy, Tensor w, Tensor dx, Tensor addend = default, float scale = 1)
    {
        if (dx.IsNone)
        {
            return;
        }

        for (int t = 0; t < dx.Rows; t++)
        {
            Begin(Row(dx, t), addend, t);
        }

        AddProduct(dy, w, dx, scale);
    }

    /// <inheritdoc/>
    public void LinearGradientWeight(Tensor dy, Tensor x, Tensor dw, float scale = 1)
    {
        if (dw.IsNone)
        {
            return;
        }

        for (int t = 0; t < dy.Rows; t++)
        {
            ReadOnlySpan<double> dyt = Row(dy, t);
            for (int o = 0; o < dw.Rows; o++)
            {
                AddScaled(scale * dyt[o], Row(x, t), Row(dw, o));
            }
        }
    }

    /// <inheritdoc/>
    public void LinearGradientBias(Tensor dy, Tensor db, float scale = 1)
    {
        if (db.IsNone)
        {
            return;
        }

        for (int t = 0; t < dy.Rows; t++)
        {
            AddScaled(scale, Row(dy, t), Row(db, 0));
        }
    }

    /// <summary>c += scale · a b, with a [T, k] and b a weight [k, n].</summary>
    private void AddProduct(Tensor a, Tensor b, Tensor c, double scale)
    {
        for (int k = 0; k < a.Columns; k++)
        {
            ReadOnlySpan<double> weight = WeightRow(b, k);
            for (int t = 0; t < a.Rows; t++)
            {
                AddScaled(scale * Row(a, t)[k], weight, Row(c, t));
            }
        }
    }
}
