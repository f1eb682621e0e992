using System.Runtime.CompilerServices;
using ModelCompiler.Backends.Cpu.Vectors;
using ModelCompiler.Tensors;

namespace ModelCompiler.Backends.Cpu;

public sealed unsafe partial class CpuBackend
{
    /// <inheritdoc/>
    public void ScaleChannels(Tensor x, Tensor g, Tensor y, Tensor addend = default) => ForEachRow(
        new GateRows { X = RowsOf(x), Factor = WeightsOf(g)[0], Plus = RowsOf(addend), Y = RowsOf(y), Width = y.Columns }, y.Rows, y.Columns);

    /// <inheritdoc/>
    public void ShrinkGates(Tensor c, double threshold)
    {
        // A few hundred numbers a projection: not worth a team of threads.
        FloatRows rows = RowsOf(c);
        for (int r = 0; r < c.Rows; r++)
        {
            foreach (ref float gate in new Span<float>(rows[r], c.Columns))
            {
                gate = Math.Clamp(gate - (float)threshold, 0, 1);
            }
        }
    }

    /// <inheritdoc/>
    public void ScaleChannelsGradientWeight(Tensor dy, Tensor x, Tensor dg)
    {
        if (!dg.IsNone)
        {
            var term = new GateGradientTerm { Dy = RowsOf(dy), X = RowsOf(x) };
            ForEachColumnRange(new ColumnSum<GateGradientTerm> { Term = term, Sum = Floats(dg), Rows = dy.Rows }, dy.Rows, dg.Columns);
        }
    }

    private struct GateRows : IRowKernel
    {
        public FloatRows X, Plus, Y;
        public WeightRow Factor;
        public int Width;

        public readonly void Row(int row) => Columns.Each(new Place { X = X[row], Factor = Factor, Plus = Plus[row], Y = Y[row] }, Width);

        private struct Place : IColumnAction
        {
            public float* X, Plus, Y;
            public WeightRow Factor;

            [MethodImpl(MethodImplOptions.AggressiveInlining)]
            public readonly void At<T>(int i)
                where T : unmanaged, ILanes<T>
            {
                T scaled = T.Load(X + i) * Factor.At<T>(i);
                (Plus == null ? scaled : scaled + T.Load(Plus + i)).Store(Y + i);
            }
        }
    }

    private struct GateGradientTerm : IRowTerm
    {
        public FloatRows Dy, X;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public readonly T At<T>(int row, int column)
            where T : unmanaged, ILanes<T> => T.Load(Dy[row] + column) * T.Load(X[row] + column);
    }
}
