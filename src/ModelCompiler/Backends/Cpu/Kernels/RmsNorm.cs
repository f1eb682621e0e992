using System.Runtime.CompilerServices;
using ModelCompiler.Backends.Cpu.Vectors;
using ModelCompiler.Operations;
using ModelCompiler.Tensors;

namespace ModelCompiler.Backends.Cpu;

public sealed unsafe partial class CpuBackend
{
    /// <inheritdoc/>
    public void RmsNorm(Tensor x, Tensor w, Tensor y, Tensor rstd, NormShape shape) => ForEachRow(
        new RmsNormRows { X = RowsOf(x), W = WeightsOf(w)[0], Y = RowsOf(y), Rstd = RowsOf(rstd), Width = x.Columns, Run = w.Columns, Epsilon = shape.Epsilon }, x.Rows, x.Columns);

    /// <inheritdoc/>
    public void RmsNormGradient(Tensor dy, Tensor x, Tensor w, Tensor rstd, Tensor dx, Tensor addend = default) => ForEachRow(
        new RmsNormGradientRows
        {
            Dy = RowsOf(dy),
            X = RowsOf(x),
            W = WeightsOf(w)[0],
            Rstd = RowsOf(rstd),
            Dx = RowsOf(dx),
            Plus = RowsOf(addend),
            Width = x.Columns,
            Run = w.Columns,
        },
        dx.Rows,
        dx.Columns);

    /// <inheritdoc/>
    public void RmsNormGradientWeight(Tensor dy, Tensor x, Tensor rstd, Tensor dw)
    {
        if (!dw.IsNone)
        {
            var term = new RmsNormWeightTerm { Dy = RowsOf(dy), X = RowsOf(x), Rstd = RowsOf(rstd), Run = dw.Columns, Runs = dy.Columns / dw.Columns };
            ForEachColumnRange(new ColumnSum<RmsNormWeightTerm> { Term = term, Sum = Floats(dw), Rows = dy.Rows }, dy.Rows, dw.Columns);
        }
    }

    private struct RmsNormRows : IRowKernel
    {
        public FloatRows X, Y, Rstd;
        public WeightRow W;
        public int Width, Run;
        public float Epsilon;

        public readonly void Row(int row)
        {
            for (int first = 0, run = 0; first < Width; first += Run, run++)
            {
                float* x = X[row] + first;
                float r = 1 / MathF.Sqrt(Columns.Sum(new Square { X = x }, Run) / Run + Epsilon);
                if (!Rstd.IsNone)
                {
                    Rstd[row][run] = r;
                }

                if (!Y.IsNone)
                {
                    Columns.Each(new Place { X = x, Y = Y[row] + first, W = W, R = r }, Run);
                }
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
        public int Width, Run;

        public readonly void Row(int row)
        {
            float* plus = Plus[row];
            for (int first = 0, run = 0; first < Width; first += Run, run++)
            {
                float* dy = Dy[row] + first;
                float* x = X[row] + first;
                float r = Rstd[row][run];
                float mean = Columns.Sum(new Term { Dy = dy, X = x, W = W }, Run) / Run;
                Columns.Each(
                    new Place { Dy = dy, X = x, W = W, Dx = Dx[row] + first, Plus = plus == null ? null : plus + first, R = r, Pull = r * r * mean }, Run);
            }
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
        public int Run, Runs;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public readonly T At<T>(int row, int column)
            where T : unmanaged, ILanes<T>
        {
            float* dy = Dy[row] + column;
            float* x = X[row] + column;
            T sum = T.Load(dy) * (T.Load(x) * T.Of(*Rstd[row]));
            for (int run = 1; run < Runs; run++)
            {
                sum = T.MultiplyAdd(T.Load(dy + run * Run), T.Load(x + run * Run) * T.Of(Rstd[row][run]), sum);
            }

            return sum;
        }
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
