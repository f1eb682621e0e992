using System.Runtime.CompilerServices;
using ModelCompiler.Backends.Cpu.Vectors;
using ModelCompiler.Tensors;

namespace ModelCompiler.Backends.Cpu;

public sealed unsafe partial class CpuBackend
{
    /// <inheritdoc/>
    public void GroupMean(Tensor x, Tensor y)
    {
        if (!y.IsNone)
        {
            ForEachRow(new GroupMeanRows { X = RowsOf(x), Y = RowsOf(y), Groups = y.Columns, Size = x.Columns / y.Columns }, y.Rows, x.Columns);
        }
    }

    /// <inheritdoc/>
    public void GroupMeanGradient(Tensor dy, Tensor dx, Tensor addend = default)
    {
        if (!dx.IsNone)
        {
            ForEachRow(
                new GroupMeanGradientRows { Dy = RowsOf(dy), Plus = RowsOf(addend), Dx = RowsOf(dx), Groups = dy.Columns, Size = dx.Columns / dy.Columns }, dx.Rows, dx.Columns);
        }
    }

    private struct GroupMeanRows : IRowKernel
    {
        public FloatRows X, Y;
        public int Groups, Size;

        public readonly void Row(int row)
        {
            float* x = X[row];
            float* y = Y[row];
            for (int group = 0; group < Groups; group++)
            {
                y[group] = Columns.Sum(new Term { X = x + (nint)group * Size }, Size) / Size;
            }
        }

        private struct Term : IColumnTerm
        {
            public float* X;

            [MethodImpl(MethodImplOptions.AggressiveInlining)]
            public readonly T AddTo<T>(T sum, int i)
                where T : unmanaged, ILanes<T> => sum + T.Load(X + i);
        }
    }

    private struct GroupMeanGradientRows : IRowKernel
    {
        public FloatRows Dy, Plus, Dx;
        public int Groups, Size;

        public readonly void Row(int row)
        {
            float* dy = Dy[row];
            float* plus = Plus[row];
            float* dx = Dx[row];
            for (int group = 0; group < Groups; group++)
            {
                nint first = (nint)group * Size;
                Columns.Each(new Place { Share = dy[group] / Size, Plus = plus == null ? null : plus + first, Dx = dx + first }, Size);
            }
        }

        private struct Place : IColumnAction
        {
            public float* Plus, Dx;
            public float Share;

            [MethodImpl(MethodImplOptions.AggressiveInlining)]
            public readonly void At<T>(int i)
                where T : unmanaged, ILanes<T>
            {
                T share = T.Of(Share);
                (Plus == null ? share : share + T.Load(Plus + i)).Store(Dx + i);
            }
        }
    }
}
