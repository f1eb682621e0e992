using System.Runtime.CompilerServices;
using ModelCompiler.Backends.Cpu.Vectors;
using ModelCompiler.Tensors;

namespace ModelCompiler.Backends.Cpu;

public sealed unsafe partial class CpuBackend
{
    /// <inheritdoc/>
    public void RmsNorm(Tensor x, Tensor w, Tensor y, Tensor rstd, float epsilon) => ForEachRow(
        new RmsNormRows { X = RowsOf(x), W = WeightsOf(w)[0], Y = RowsOf(y), Rstd = RowsOf(rstd), Width = x.Columns, Epsilon = epsilon }, x.Rows, x.Columns);

    /// <inheritdoc/>
    public void RmsNormGradient(Tensor dy, Tensor x, Tensor w, Tensor rstd, Tensor dx, Tensor plus = default) => ForEachRow(
        new RmsNormGradientRows
        {
            Dy = RowsOf(dy),
            X = RowsOf(x),
            W = WeightsOf(w)[0],
            Rstd = RowsOf(rstd),
            Dx = RowsOf(dx),
            Plus = RowsOf(plus),
            Width = x.Columns,
        },
        dx.Rows,
        dx.Columns);

    /// <inheritdoc/>
    public void RmsNormGradientWeight(Tensor dy, Tensor x, Tensor rstd, Tensor dw)
    {
        if (!dw.IsNone)
        {
            var term = new RmsNormWeightTerm { Dy = RowsOf(dy), X = RowsOf(x), Rstd = RowsOf(rstd) };
            ForEachColumnRange(new ColumnSum<RmsNormWeightTerm> { Term = term, Sum = Floats(dw), Rows = dy.Rows }, dy.Rows, dw.Columns);
        }
    }

    private struct RmsNormRows : IRowKernel
    {
        public FloatRows X, Y, Rstd;
        public WeightRow W;
        public int Width;
        public float Epsilon;

        public readonly void Row(int row)
        {
            float r = 1 / MathF.Sqrt(Columns.Sum(new Square { X = X[row] }, Width) / Width + Epsilon);
            if (!Rstd.IsNone)
            {
                *Rstd[row] = r;
            }

            if (!Y.IsNone)
            {
                Columns.Each(new Place { X = X[row], Y = Y[row], W = W, R = r }, Width);
            }
        }

        private struct Place : IColumnAction
        {
            public float* X, Y;
            public WeightRow W;
            public float R;

            [MethodImpl(MethodImplOptions.AggressiveInlining)]
            public readonly void At<T>(int i)
                where T : unmanaged, ILanes<T> => (T.Load(X + i) * T.Of(R) * W.At<T>(i)).Store(Y + i);
        }
    }

    /// <summary>dx = r g − (r³ mean(g x)) x + plus with g = dy · w.</summary>
    private struct RmsNormGradientRows : IRowKernel
    {
        public FloatRows Dy, X, Rstd, Dx, Plus;
        public WeightRow W;
        public int Width;

        public readonly void Row(int row)
        {
            float r = *Rstd[row];
            float mean = Columns.Sum(new Term { Dy = Dy[row], X = X[row], W = W }, Width) / Width;
            Columns.Each(new Place { Dy = Dy[row], X = X[row], W = W, Dx = Dx[row], Plus = Plus[row], R = r, Pull = r * r * mean }, Width);
        }

        private struct Term : IColumnTerm
        {
            public float* Dy, X;
            public WeightRow W;

            [MethodImpl(MethodImplOptions.AggressiveInlining)]
            public readonly T AddTo<T>(T sum, int i)
                where T : unmanaged, ILanes<T> => T.MultiplyAdd(T.Load(Dy + i) * W.At<T>(i), T.Load(X + i), sum);
        }

        private struct Place : IColumnAction
        {
            public float* Dy, X, Dx, Plus;
            public WeightRow W;
            public float R, Pull;

            [MethodImpl(MethodImplOptions.AggressiveInlining)]
            public readonly void At<T>(int i)
                where T : unmanaged, ILanes<T>
            {
                T inner = T.Load(Dy + i) * W.At<T>(i) - T.Load(X + i) * T.Of(Pull);
                (Plus == null ? inner * T.Of(R) : T.MultiplyAdd(inner, T.Of(R), T.Load(Plus + i))).Store(Dx + i);
            }
        }
    }

    private struct RmsNormWeightTerm : IRowTerm
    {
        public FloatRows Dy, X, Rstd;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public readonly T At<T>(int row, int column)
            where T : unmanaged, ILanes<T> => T.Load(Dy[row] + column) * (T.Load(X[row] + column) * T.Of(*Rstd[row]));
    }

    private struct Square : IColumnTerm
    {
        public float* X;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public readonly T AddTo<T>(T sum, int i)
            where T : unmanaged, ILanes<T>
        {
            T x = T.Load(X + i);
            return T.MultiplyAdd(x, x, sum);
        }
    }
}
