using ModelCompiler.Backends;
using ModelCompiler.Operations;
using ModelCompiler.Tensors;

namespace ModelCompiler.Testing.Reference;

public sealed unsafe partial class ReferenceBackend
{
    /// <inheritdoc/>
    public void Rotary(Tensor x, Tensor y, RotaryShape shape) => Rotate(x, y, shape, 1);

    /// <inheritdoc/>
    public void RotaryGradient(Tensor dy, Tensor dx, RotaryShape shape) => Rotate(dy, dx, shape, -1);

    /// <summary>Su et al. 2021 (RoFormer): the pair (i, i + width / 2) turns by ± position · theta^(−2i / width), scaled.</summary>
    private void Rotate(Tensor x, Tensor y, RotaryShape shape, int direction)
    {
        int half = shape.Width / 2;
        for (int t = 0; t < y.Rows; t++)
        {
            ReadOnlySpan<double> xt = Row(x, t);
            Span<double> yt = Row(y, t);
            xt.CopyTo(yt);
            for (int i = 0; i < half; i++)
            {
                (double sin, double cos) = Math.SinCos(direction * Position(t) * shape.Frequency(i));
                for (int head = 0; head < yt.Length; head += shape.HeadWidth)
                {
                    double a = xt[head + i];
                    double b = xt[head + i + half];
                    yt[head + i] = a * cos - b * sin;
                    yt[head + i + half] = b * cos + a * sin;
                }
            }
        }
    }
}
