using System.Runtime.CompilerServices;
using ModelCompiler.Backends.Cpu.Vectors;
using ModelCompiler.Operations;
using ModelCompiler.Tensors;

namespace ModelCompiler.Backends.Cpu;

public sealed unsafe partial class CpuBackend
{
    private readonly RotaryTables rotaryTables = new();

    /// <inheritdoc/>
    public void Rotary(Tensor x, Tensor y, RotaryShape shape) => Rotate(x, y, shape, 1);

    /// <inheritdoc/>
    public void RotaryGradient(Tensor dy, Tensor dx, RotaryShape shape) => Rotate(dy, dx, shape, -1);

    private void Rotate(Tensor x, Tensor y, RotaryShape shape, int direction)
    {
        if (y.IsNone)
        {
            return;
        }

        float* table = rotaryTables.Get(shape, positions: Step.Position + Step.Sequence);
        ForEachRow(
            new RotaryRows
            {
                X = RowsOf(x),
                Y = RowsOf(y),
                Table = table,
                Width = y.Columns,
                HeadWidth = shape.HeadWidth,
                Half = shape.Width / 2,
                Start = Step.Position,
                Sequence = Step.Sequence,
                Direction = direction,
            },
            y.Rows,
            y.Columns);
    }

    private struct RotaryRows : IRowKernel
    {
        public FloatRows X, Y;
        public float* Table;
        public int Width, HeadWidth, Half, Start, Sequence, Direction;

        public readonly void Row(int row)
        {
            float* x = X[row];
            float* y = Y[row];
            float* cos = Table + (nint)(Start + row % Sequence) * 2 * Half;
            Columns.Each(new Place { X = x, Y = y, Cos = cos, Half = Half, Width = Width, HeadWidth = HeadWidth, Direction = Direction }, Half);
            int rest = HeadWidth - 2 * Half;
            if (x != y && rest > 0)
            {
                for (int channel = 2 * Half; channel < Width; channel += HeadWidth)
                {
                    new ReadOnlySpan<float>(x + channel, rest).CopyTo(new Span<float>(y + channel, rest));
                }
            }
        }

        /// <summary>One group of channels of all heads, which share its cosines and sines.</summary>
        private struct Place : IColumnAction
        {
            public float* X, Y, Cos;
            public nint Half, Width, HeadWidth;
            public float Direction;

            [MethodImpl(MethodImplOptions.AggressiveInlining)]
            public readonly void At<T>(int i)
                where T : unmanaged, ILanes<T>
            {
                T cos = T.Load(Cos + i);
                T sin = T.Load(Cos + Half + i) * T.Of(Direction);
                for (nint channel = i; channel < Width; channel += HeadWidth)
                {
                    T a = T.Load(X + channel);
                    T b = T.Load(X + Half + channel);
                    (a * cos - b * sin).Store(Y + channel);
                    T.MultiplyAdd(b, cos, a * sin).Store(Y + Half + channel);
                }
            }
        }
    }
}
