using System.Runtime.CompilerServices;
using ModelCompiler.Backends.Cpu.Vectors;
using ModelCompiler.Tensors;

namespace ModelCompiler.Backends.Cpu;

public sealed unsafe partial class CpuBackend
{
    /// <inheritdoc/>
    public void LearnedPositions(Tensor x, Tensor table, Tensor y)
    {
        RequirePositions(table);
        ForEachRow(
            new LearnedPositionRows { X = RowsOf(x), Table = WeightsOf(table), Y = RowsOf(y), Width = y.Columns, Start = Step.Position, Sequence = Step.Sequence },
            y.Rows,
            y.Columns);
    }

    /// <inheritdoc/>
    public void LearnedPositionsGradient(Tensor dy, Tensor gradient)
    {
        if (!gradient.IsNone)
        {
            RequirePositions(gradient);
            ForEachColumnRange(
                new LearnedPositionGradientColumns { Dy = RowsOf(dy), Gradient = RowsOf(gradient), Rows = dy.Rows, Start = Step.Position, Sequence = Step.Sequence },
                dy.Rows,
                dy.Columns);
        }
    }

    private void RequirePositions(Tensor table)
    {
        if (Step.Position + Step.Sequence > table.Rows)
        {
            throw new ArgumentException($"Positions up to {Step.Position + Step.Sequence - 1} do not fit a table of {table.Rows} positions: shorten the sequence.");
        }
    }

    private struct LearnedPositionRows : IRowKernel
    {
        public FloatRows X, Y;
        public WeightRows Table;
        public int Width, Start, Sequence;

        public readonly void Row(int row) => Columns.Each(new Place { X = X[row], Entry = Table[Start + row % Sequence], Y = Y[row] }, Width);

        private struct Place : IColumnAction
        {
            public float* X, Y;
            public WeightRow Entry;

            [MethodImpl(MethodImplOptions.AggressiveInlining)]
            public readonly void At<T>(int i)
                where T : unmanaged, ILanes<T> => (T.Load(X + i) + Entry.At<T>(i)).Store(Y + i);
        }
    }

    private struct LearnedPositionGradientColumns : IColumnKernel
    {
        public FloatRows Dy, Gradient;
        public int Rows, Start, Sequence;

        public readonly void Range(int first, int end)
        {
            for (int row = 0; row < Rows; row++)
            {
                Columns.Each(new AddScaledPlace { X = Dy[row] + first, Y = Gradient[Start + row % Sequence] + first, Scale = 1 }, end - first);
            }
        }
    }
}
