using System.Runtime.CompilerServices;
using ModelCompiler.Backends.Cpu.Vectors;
using ModelCompiler.Operations;
using ModelCompiler.Tensors;

namespace ModelCompiler.Backends.Cpu;

public sealed unsafe partial class CpuBackend
{
    /// <inheritdoc/>
    public void LayerNorm(Tensor x, Tensor w, Tensor b, Tensor y, Tensor statistics, NormShape shape) => ForEachRow(
        new LayerNormRows
        {
            X = RowsOf(x),
            W = WeightsOf(w)[0],
            B = WeightsOf(b)[0],
            Y = RowsOf(y),
            Statistics = RowsOf(statistics),
            Width = x.Columns,
            Epsilon = shape.Epsilon,
        },
        x.Rows,
        x.Columns);

    /// <inheritdoc/>
    public void LayerNormGradient(Tensor dy, Tensor x, Tensor w, Tensor statistics, Tensor dx, Tensor addend = default) => ForEachRow(
        new LayerNormGradientRows
        {
            Dy = RowsOf(dy),
            X = RowsOf(x),
            W = WeightsOf(w)[0],
            Statistics = RowsOf(statistics),
            Dx = RowsOf(dx),
            Plus = RowsOf(addend),
            Width = x.Columns,
        },
        dx.Rows,
        dx.Columns);

    /// <inheritdoc/>
    public void LayerNormGradientWeight(Tensor dy, Tensor x, Tensor statistics, Tensor dw)
    {
        if (!dw.IsNone)
        {
            var term = new LayerNormWeightTerm { Dy = RowsOf(dy), X = RowsOf(x), Statistics = RowsOf(statistics) };
            ForEachColumnRange(new ColumnSum<LayerNormWeightTerm> { Term = term, Sum = Floats(dw), Rows = dy.Rows }, dy.Rows, dw.Columns);
        }
    }

    private struct LayerNormRows : IRowKernel
    {
        public FloatRows X, Y, Statistics;
        public WeightRow W, B;
        public int Width;
        public float Epsilon;

        public readonly void Row(int row)
        {
            float mean = Columns.Sum(new Value { X = X[row] }, Width) / Width;
            float r = 1 / MathF.Sqrt(Columns.Sum(new SquaredDeviation { X = X[row], Mean = mean }, Width) / Width + Epsilon);
            if (!Statistics.IsNone)
            {
                Statistics[row][0] = mean;
                Statistics[row][1] = r;
            }

            if (!Y.IsNone)
            {
                Columns.Each(new Place { X = X[row], Y = Y[row], W = W, B = B, Mean = mean, R = r }, Width);
            }
        }

        private struct Value : IColumnTerm
        {
            public float* X;

            [MethodImpl(MethodImplOptions.AggressiveInlining)]
            public readonly T AddTo<T>(T sum, int i)
                where T : unmanaged, ILanes<T> => sum + T.Load(X + i);
        }

        private struct SquaredDeviation : IColumnTerm
        {
            public float* X;
            public float Mean;

            [MethodImpl(MethodImplOptions.AggressiveInlining)]
            public readonly T AddTo<T>(T sum, int i)
                where T : unmanaged, ILanes<T>
            {
                T deviation = T.Load(X + i) - T.Of(Mean);
                return T.MultiplyAdd(deviation, deviation, sum);
            }
        }

        private struct Place : IColumnAction
        {
            public float* X, Y;
            public WeightRow W, B;
            public float Mean, R;

            [MethodImpl(MethodImplOptions.AggressiveInlining)]
            public readonly void At<T>(int i)
                where T : unmanaged, ILanes<T>
            {
                T normalized = (T.Load(X + i) - T.Of(Mean)) * T.Of(R);
                T w = W.At<T>(i);
                (B.IsNone ? normalized * w : T.MultiplyAdd(normalized, w, B.At<T>(i))).Store(Y + i);
            }
        }
    }

    private struct LayerNormGradientRows : IRowKernel
    {
        public FloatRows Dy, X, Statistics, Dx, Plus;
        public WeightRow W;
        public int Width;

        public readonly void Row(int row)
        {
            float mean = Statistics[row][0];
            float r = Statistics[row][1];
            float meanG = Columns.Sum(new Gradient { Dy = Dy[row], W = W }, Width) / Width;
            float meanGx = r * Columns.Sum(new GradientTimesDeviation { Dy = Dy[row], X = X[row], W = W, Mean = mean }, Width) / Width;
            Columns.Each(
                new Place { Dy = Dy[row], X = X[row], W = W, Dx = Dx[row], Plus = Plus[row], Mean = mean, R = r, MeanG = meanG, Pull = r * meanGx }, Width);
        }

        private struct Gradient : IColumnTerm
        {
            public float* Dy;
            public WeightRow W;

            [MethodImpl(MethodImplOptions.AggressiveInlining)]
            public readonly T AddTo<T>(T sum, int i)
                where T : unmanaged, ILanes<T> => T.MultiplyAdd(T.Load(Dy + i), W.At<T>(i), sum);
        }

        private struct GradientTimesDeviation : IColumnTerm
        {
            public float* Dy, X;
            public WeightRow W;
            public float Mean;

            [MethodImpl(MethodImplOptions.AggressiveInlining)]
            public readonly T AddTo<T>(T sum, int i)
                where T : unmanaged, ILanes<T> => T.MultiplyAdd(T.Load(Dy + i) * W.At<T>(i), T.Load(X + i) - T.Of(Mean), sum);
        }

        private struct Place : IColumnAction
        {
            public float* Dy, X, Dx, Plus;
            public WeightRow W;
            public float Mean, R, MeanG, Pull;

            [MethodImpl(MethodImplOptions.AggressiveInlining)]
            public readonly void At<T>(int i)
                where T : unmanaged, ILanes<T>
            {
                T inner = T.Load(Dy + i) * W.At<T>(i) - T.Of(MeanG) - (T.Load(X + i) - T.Of(Mean)) * T.Of(Pull);
                (Plus == null ? inner * T.Of(R) : T.MultiplyAdd(inner, T.Of(R), T.Load(Plus + i))).Store(Dx + i);
            }
        }
    }

    private struct LayerNormWeightTerm : IRowTerm
    {
        public FloatRows Dy, X, Statistics;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public readonly T At<T>(int row, int column)
            where T : unmanaged, ILanes<T>
        {
            float* statistics = Statistics[row];
            return T.Load(Dy[row] + column) * ((T.Load(X[row] + column) - T.Of(statistics[0])) * T.Of(statistics[1]));
        }
    }
}
