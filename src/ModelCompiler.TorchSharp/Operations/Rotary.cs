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
                Tensor rows = y.Slice(sequence + first, count);
                TorchTensor before = ScratchOf(x.Slice(sequence + first, count)).view(count, -1, headWidth);
                TorchTensor after = y.Type == DType.Float32 ? Heads(rows, headWidth) : Scratch(count, x.Columns).view(count, -1, headWidth);
                if (x != y || y.Type != DType.Float32)
                {
                    after.copy_(before);
                }

                int half = rotaryWidth / 2;
                after.narrow(2, 0, rotaryWidth).mul_(cos);
                after.narrow(2, 0, half).addcmul_(before.narrow(2, half, half), sin, Number(inverse ? 1 : -1));
                after.narrow(2, half, half).addcmul_(before.narrow(2, 0, half), sin, Number(inverse ? -1 : 1));
                if (y.Type != DType.Float32)
                {
                    Heads(rows, headWidth).copy_(after);
                }
            }
        }
    }

    /// <summary>The channels of each row by heads: [rows, heads, headWidth].</summary>
    private TorchTensor Heads(Tensor x, int headWidth) =>
        Typed(ScalarTypeOf(x.Type)).as_strided([x.Rows, x.Columns / headWidth, headWidth], [x.Stride, headWidth, 1], x.Offset / x.Type.Size());

    /// <summary>
    /// Cosines, [rows, 1, rotaryWidth], once for each half, and sines, [rows, 1, rotaryWidth / 2], of consecutive positions, out of tables that double when
    /// they are too short.
    /// </summary>
    private (TorchTensor Cos, TorchTensor Sin) Turns(int first, int count, int rotaryWidth, float theta, FrequencyScaling scaling)
    {
        int positions = (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)(first + count));
        TorchTensor Of(string name, Func<double, double> function, int columns) => Table($"{name} {theta:R} {rotaryWidth} {scaling} {positions}", () =>
        {
            int half = rotaryWidth / 2;
            var values = new float[positions * columns];
            for (int i = 0; i < values.Length; i++)
            {
                values[i] = (float)function(i / columns * scaling.Frequency(i % columns % half, rotaryWidth, theta));
            }

            return torch.tensor(values).view(positions, 1, columns);
        }).narrow(0, first, count);
        return (Of("cos", Math.Cos, rotaryWidth), Of("sin", Math.Sin, rotaryWidth / 2));
    }
}
