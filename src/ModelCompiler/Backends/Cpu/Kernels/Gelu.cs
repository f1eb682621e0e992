using System.Runtime.CompilerServices;
using ModelCompiler.Backends.Cpu.Vectors;
using ModelCompiler.Tensors;

namespace ModelCompiler.Backends.Cpu;

public sealed unsafe partial class CpuBackend
{
    /// <inheritdoc/>
    public void Gelu(Tensor x, Tensor y) => ForEachRow(new GeluRows { X = RowsOf(x), Y = RowsOf(y), Width = y.Columns }, y.Rows, y.Columns);

    /// <inheritdoc/>
    public void GeluGradient(Tensor dy, Tensor x, Tensor dx) =>
        ForEachRow(new GeluGradientRows { Dy = RowsOf(dy), X = RowsOf(x), Dx = RowsOf(dx), Width = dx.Columns }, dx.Rows, dx.Columns);

    private struct GeluRows : IRowKernel
    {
        public FloatRows X, Y;
        public int Width;

        public readonly void Row(int row) => Columns.Each(new Place { X = X[row], Y = Y[row] }, Width);

        private struct Place : IColumnAction
        {
            public float* X, Y;

            [MethodImpl(MethodImplOptions.AggressiveInlining)]
            public readonly void At<T>(int i)
                where T : unmanaged, ILanes<T>
            {
                T x = T.Load(X + i);
                (x * Formulas.GeluSigmoid(x)).Store(Y + i);
            }
        }
    }

    private struct GeluGradientRows : IRowKernel
    {
        public FloatRows Dy, X, Dx;
        public int Width;

        public readonly void Row(int row) => Columns.Each(new Place { Dy = Dy[row], X = X[row], Dx = Dx[row] }, Width);

        private struct Place : IColumnAction
        {
            public float* Dy, X, Dx;

            [MethodImpl(MethodImplOptions.AggressiveInlining)]
            public readonly void At<T>(int i)
                where T : unmanaged, ILanes<T>
            {
                T x = T.Load(X + i);
                (T.Load(Dy + i) * Formulas.GeluDerivative(x, Formulas.GeluSigmoid(x))).Store(Dx + i);
            }
        }
    }
}
