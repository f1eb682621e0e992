using System.Runtime.CompilerServices;
using ModelCompiler.Backends.Cpu.Vectors;
using ModelCompiler.Tensors;

namespace ModelCompiler.Backends.Cpu;

public sealed unsafe partial class CpuBackend
{
    /// <inheritdoc/>
    public void InverseRowNorm(Tensor squares, Tensor b, Tensor inner, Tensor gram, Tensor inverse, float scale = 1)
    {
        if (!inverse.IsNone)
        {
            ForEachRow(
                new InverseRowNormRows { Squares = Floats(squares), B = RowsOf(b), Inner = RowsOf(inner), Gram = RowsOf(gram), Inverse = Floats(inverse), Rank = b.Columns, Scale = scale },
                b.Rows,
                b.Columns * b.Columns);
        }
    }

    /// <inheritdoc/>
    public void Magnitude(Tensor z, Tensor m, Tensor inverse, Tensor y, Tensor bias = default, Tensor addend = default) => ForEachRow(
        new MagnitudeRows { Z = RowsOf(z), M = WeightsOf(m)[0], Inverse = Floats(inverse), Bias = WeightsOf(bias)[0], Plus = RowsOf(addend), Y = RowsOf(y), Width = y.Columns },
        y.Rows,
        y.Columns);

    /// <inheritdoc/>
    public void MagnitudeGradient(Tensor dy, Tensor z, Tensor inverse, Tensor dm)
    {
        if (!dm.IsNone)
        {
            var term = new MagnitudeTerm { Dy = RowsOf(dy), Z = RowsOf(z), Inverse = Floats(inverse) };
            ForEachColumnRange(new ColumnSum<MagnitudeTerm> { Term = term, Sum = Floats(dm), Rows = dy.Rows }, dy.Rows, dm.Columns);
        }
    }

    /// <summary>One row of B. The terms may cancel, so they are added in double.</summary>
    private struct InverseRowNormRows : IRowKernel
    {
        public float* Squares, Inverse;
        public FloatRows B, Inner, Gram;
        public int Rank;
        public float Scale;

        public readonly void Row(int row)
        {
            float* b = B[row];
            double sum = Squares[row];
            for (int k = 0; k < Rank; k++)
            {
                double product = Columns.Sum(new Term { X = Gram[k], B = b }, Rank);
                sum += (double)Scale * b[k] * (2.0 * Inner[k][row] + Scale * product);
            }

            Inverse[row] = sum > 0 ? (float)(1 / Math.Sqrt(sum)) : 0;
        }

        private struct Term : IColumnTerm
        {
            public float* X, B;

            [MethodImpl(MethodImplOptions.AggressiveInlining)]
            public readonly T AddTo<T>(T sum, int i)
                where T : unmanaged, ILanes<T> => T.MultiplyAdd(T.Load(X + i), T.Load(B + i), sum);
        }
    }

    private struct MagnitudeRows : IRowKernel
    {
        public FloatRows Z, Plus, Y;
        public WeightRow M, Bias;
        public float* Inverse;
        public int Width;

        public readonly void Row(int row) => Columns.Each(new Place { Z = Z[row], M = M, Inverse = Inverse, Bias = Bias, Plus = Plus[row], Y = Y[row] }, Width);

        private struct Place : IColumnAction
        {
            public float* Z, Inverse, Plus, Y;
            public WeightRow M, Bias;

            [MethodImpl(MethodImplOptions.AggressiveInlining)]
            public readonly void At<T>(int i)
                where T : unmanaged, ILanes<T>
            {
                T y = T.Load(Z + i) * (M.At<T>(i) * T.Load(Inverse + i));
                y = Bias.IsNone ? y : y + Bias.At<T>(i);
                (Plus == null ? y : y + T.Load(Plus + i)).Store(Y + i);
            }
        }
    }

    private struct MagnitudeTerm : IRowTerm
    {
        public FloatRows Dy, Z;
        public float* Inverse;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public readonly T At<T>(int row, int column)
            where T : unmanaged, ILanes<T> => T.Load(Dy[row] + column) * (T.Load(Z[row] + column) * T.Load(Inverse + column));
    }
}
