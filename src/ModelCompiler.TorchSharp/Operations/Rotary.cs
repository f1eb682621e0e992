using ModelCompiler.Planning;
using ModelCompiler.Tensors;
using TorchSharp;

namespace ModelCompiler.Torch;

public sealed partial class TorchBackend
{
    /// <inheritdoc/>
    public void Rotary(Tensor x, Tensor y, int headWidth, int rotaryWidth, float theta, FrequencyScaling scaling = default) => Rotate(x, y, headWidth, rotaryWidth, theta, scaling, inverse: false);

    /// <inheritdoc/>
    public void RotaryGradient(Tensor dy, Tensor dx, int headWidth, int rotaryWidth, float theta, FrequencyScaling scaling = default) => Rotate(dy, dx, headWidth, rotaryWidth, theta, scaling, inverse: true);

    /// <summary>Su et al. 2021 (RoFormer): the pair (i, i + width / 2) turns by ± position · theta^(−2i / width), scaled.</summary>
    private void Rotate(Tensor x, Tensor y, int headWidth, int rotaryWidth, float theta, FrequencyScaling scaling, bool inverse)
    {
        for (int sequence = 0; sequence < y.Rows; sequence += _step.Sequence)
        {
            foreach ((int first, int count) in InTurn(Math.Min(_step.Sequence, y.Rows - sequence), x.Columns, matrices: 2))
            {
                using Work work = Begin();
                (TorchTensor cos, TorchTensor sin) = Turns(_step.Position + first, count, rotaryWidth, theta, scaling);
                Rotate(Heads(x.Slice(sequence + first, count), headWidth), Heads(y.Slice(sequence + first, count), headWidth), cos, inverse ? sin.neg() : sin, x == y);
            }
        }
    }

    private void Rotate(TorchTensor x, TorchTensor y, TorchTensor cos, TorchTensor sin, bool inPlace)
    {
        long half = cos.shape[2];
        (TorchTensor a, TorchTensor b) = (x.narrow(2, 0, half), x.narrow(2, half, half));
        TorchTensor Turned(TorchTensor one) => Scratch(one.shape[0] * one.shape[1], half).view(one.shape).copy_(one).mul_(cos);
        TorchTensor first = Turned(a).addcmul_(b, sin, Number(-1));
        TorchTensor second = Turned(b).addcmul_(a, sin, Number(1));
        y.narrow(2, 0, half).copy_(first);
        y.narrow(2, half, half).copy_(second);
        long rest = x.shape[2] - 2 * half;
        if (rest > 0 && !inPlace)
        {
            y.narrow(2, 2 * half, rest).copy_(x.narrow(2, 2 * half, rest));
        }
    }

    /// <summary>The channels of each row by heads: [rows, heads, headWidth].</summary>
    private TorchTensor Heads(Tensor x, int headWidth) =>
        Typed(ScalarTypeOf(x.Type)).as_strided([x.Rows, x.Columns / headWidth, headWidth], [x.Stride, headWidth, 1], x.Offset / x.Type.Size());

    /// <summary>Cosines and sines of consecutive positions, [rows, 1, rotaryWidth / 2] each, out of a table that doubles when it is too short.</summary>
    private (TorchTensor Cos, TorchTensor Sin) Turns(int first, int count, int rotaryWidth, float theta, FrequencyScaling scaling)
    {
        uint positions = System.Numerics.BitOperations.RoundUpToPowerOf2((uint)(first + count));
        TorchTensor table = Table($"rotary {theta:R} {rotaryWidth} {scaling} {positions}", () =>
        {
            int half = rotaryWidth / 2;
            var turns = new float[2 * positions * half];
            for (int i = 0; i < positions * half; i++)
            {
                (double sin, double cos) = Math.SinCos(i / half * scaling.Frequency(i % half, rotaryWidth, theta));
                turns[i] = (float)cos;
                turns[positions * half + i] = (float)sin;
            }

            return torch.tensor(turns).view(2, positions, 1, half);
        });
        TorchTensor rows = table.narrow(1, first, count);
        return (rows.select(0, 0), rows.select(0, 1));
    }
}
