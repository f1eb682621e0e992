using System.Runtime.CompilerServices;
using ModelCompiler.Backends.Cpu.Vectors;
using ModelCompiler.Tensors;

namespace ModelCompiler.Backends.Cpu;

public sealed unsafe partial class CpuBackend
{
    /// <inheritdoc/>
    public void SoftCap(Tensor x, Tensor y, float cap) =>
        ForEachRow(new SoftCapRows { X = RowsOf(x), Y = RowsOf(y), Width = y.Columns, Cap = cap }, y.Rows, y.Columns);

    /// <inheritdoc/>
    public void SoftCapGradient(Tensor dy, Tensor y, Tensor dx, float cap) =>
        ForEachRow(new SoftCapGradientRows { Dy = RowsOf(dy), Y = RowsOf(y), Dx = RowsOf(dx), Width = dx.Columns, Cap = cap }, dx.Rows, dx.Columns);

    private struct SoftCapRows : IRowKernel
    {
        public FloatRows X, Y;
        public int Width;
        public float Cap;

        public readonly void Row(int row) => Columns.Each(new Place { X = X[row], Y = Y[row], Cap = Cap, Inverse = 1 / Cap }, Width);

        private struct Place : IColumnAction
        {
            public float* X, Y;
            public float Cap, Inverse;

            [MethodImpl(MethodImplOptions.AggressiveInlining)]
            public readonly void At<T>(int i)
                where T : unmanaged, ILanes<T> => (T.Of(Cap) * Formulas.Tanh(T.Load(X + i) * T.Of(Inverse))).Store(Y + i);
        }
    }

    private struct SoftCapGradientRows : IRowKernel
    {
        public FloatRows Dy, Y, Dx;
        public int Width;
        public float Cap;

        public readonly void Row(int row) => Columns.Each(new Place { Dy = Dy[row], Y = Y[row], Dx = Dx[row], Inverse = 1 / Cap }, Width);

        private struct Place : IColumnAction
        {
            public float* Dy, Y, Dx;
            public float Inverse;

            [MethodImpl(MethodImplOptions.AggressiveInlining)]
            public readonly void At<T>(int i)
                where T : unmanaged, ILanes<T>
            {
                T tanh = T.Load(Y + i) * T.Of(Inverse);
                (T.Load(Dy + i) * ((T.Of(1) - tanh) * (T.Of(1) + tanh))).Store(Dx + i);
            }
        }
    }
}
