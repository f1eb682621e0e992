using ModelCompiler.Operations;
using ModelCompiler.Planning;
using ModelCompiler.Tensors;
using TorchSharp;

namespace ModelCompiler.Torch;

public sealed partial class TorchBackend
{
    /// <inheritdoc/>
    public void Rotary(Tensor x, Tensor y, RotaryShape shape) => Rotate(x, y, shape, inverse: false);

    /// <inheritdoc/>
    public void RotaryGradient(Tensor dy, Tensor dx, RotaryShape shape) => Rotate(dy, dx, shape, inverse: true);

    /// <summary>Su et al. 2021 (RoFormer): the pair (i, i + width / 2) turns by ± position · theta^(−2i / width), scaled.</summary>
    private void Rotate(Tensor x, Tensor y, RotaryShape shape, bool inverse)
    {
        for (int sequence = 0; sequence < y.Rows; sequence += _step.Sequence)
        {
            foreach ((int first, int count) in InTurn(Math.Min(_step.Sequence, y.Rows - sequence), x.Columns, matrices: 2))
            {
                using Work work = Begin();
                (TorchTensor cos, TorchTensor sin) = Turns(_step.Position + first, count, shape);
                Tensor rows = y.Slice(sequence + first, count);
                TorchTensor before = ScratchOf(x.Slice(sequence + first, count)).view(count, -1, shape.HeadWidth);
                TorchTensor after = y.Type == DType.Float32 ? Heads(rows, shape.HeadWidth) : Scratch(count, x.Columns).view(count, -1, shape.HeadWidth);
                if (x != y || y.Type != DType.Float32)
                {
                    after.copy_(before);
                }

                int half = shape.Width / 2;
                after.narrow(2, 0, shape.Width).mul_(cos);
                after.narrow(2, 0, half).addcmul_(before.narrow(2, half, half), sin, Number(inverse ? 1 : -1));
                after.narrow(2, half, half).addcmul_(before.narrow(2, 0, half), sin, Number(inverse ? -1 : 1));
                if (y.Type != DType.Float32)
                {
                    Heads(rows, shape.HeadWidth).copy_(after);
                }
            }
        }
    }

    /// <summary>The channels of each row by heads: [rows, heads, headWidth].</summary>
    private TorchTensor Heads(Tensor x, int headWidth) =>
        Typed(ScalarTypeOf(x.Type)).as_strided([x.Rows, x.Columns / headWidth, headWidth], [x.Stride, headWidth, 1], x.Offset / x.Type.Size());

    /// <summary>
    /// Cosines, [rows, 1, width], once for each half, and sines, [rows, 1, width / 2], of consecutive positions, out of tables that double when
    /// they are too short.
    /// </summary>
    private (TorchTensor Cos, TorchTensor Sin) Turns(int first, int count, RotaryShape shape)
    {
        int positions = (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)(first + count));
        TorchTensor Of(string name, Func<double, double> function, int columns) => Table($"{name} {shape} {positions}", () =>
        {
            int half = shape.Width / 2;
            var values = new float[positions * columns];
            for (int i = 0; i < values.Length; i++)
            {
                values[i] = (float)function(i / columns * shape.Frequency(i % columns % half));
            }

            return torch.tensor(values).view(positions, 1, columns);
        }).narrow(0, first, count);
        return (Of("cos", Math.Cos, shape.Width), Of("sin", Math.Sin, shape.Width / 2));
    }
}
