using ModelCompiler.Backends;
using ModelCompiler.Planning;
using ModelCompiler.Tensors;

namespace ModelCompiler.Testing.Reference;

public sealed unsafe partial class ReferenceBackend
{
    /// <inheritdoc/>
    public void Rotary(Tensor x, Tensor y, int headWidth, int rotaryWidth, float theta, FrequencyScaling scaling = default) => Rotate(x, y, headWidth, rotaryWidth, theta, scaling, 1);

    /// <inheritdoc/>
    public void RotaryGradient(Tensor dy, Tensor dx, int headWidth, int rotaryWidth, float theta, FrequencyScaling scaling = default) => Rotate(dy, dx, headWidth, rotaryWidth, theta, scaling, -1);

    /// <summary>Su et al. 2021 (RoFormer): the pair (i, i + width / 2) turns by ± position · theta^(−2i / width), scaled.</summary>
    private void Rotate(Tensor x, Tensor y, int headWidth, int rotaryWidth, double theta, FrequencyScaling scaling, int direction)
    {
        int half = rotaryWidth / 2;
        for (int t = 0; t < y.Rows; t++)
        {
            ReadOnlySpan<double> xt = Row(x, t);
            Span<double> yt = Row(y, t);
            xt.CopyTo(yt);
            for (int i = 0; i < half; i++)
            {
                (double sin, double cos) = Math.SinCos(direction * Position(t) * scaling.Frequency(i, rotaryWidth, theta));
                for (int head = 0; head < yt.Length; head += headWidth)
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
