using System.Runtime.CompilerServices;
using ModelCompiler.Backends.Cpu.Vectors;
using ModelCompiler.Tensors;

namespace ModelCompiler.Backends.Cpu;

public sealed unsafe partial class CpuBackend
{
    /// <inheritdoc/>
    public void RowProducts(Tensor a, Tensor b, Tensor sums)
    {
        if (!sums.IsNone)
        {
            ForEachRow(new RowProductRows { A = RowsOf(a), B = RowsOf(b), Sums = Floats(sums), Width = a.Columns }, a.Rows, a.Columns);
        }
    }

    /// <inheritdoc/>
    public void Importance(Tensor w, Tensor g, Tensor sensitivity, Tensor uncertainty, float beta1, float beta2) => ForEachRow(
        new ImportanceRows { W = RowsOf(w), G = RowsOf(g), Sensitivity = RowsOf(sensitivity), Uncertainty = RowsOf(uncertainty), Beta1 = beta1, Beta2 = beta2, Width = w.Columns },
        w.Rows,
        w.Columns);

    private struct RowProductRows : IRowKernel
    {
        public FloatRows A, B;
        public float* Sums;
        public int Width;

        public readonly void Row(int row) => Sums[row] += Columns.Sum(new Term { A = A[row], B = B[row] }, Width);

        private struct Term : IColumnTerm
        {
            public float* A, B;

            [MethodImpl(MethodImplOptions.AggressiveInlining)]
            public readonly T AddTo<T>(T sum, int i)
                where T : unmanaged, ILanes<T> => T.MultiplyAdd(T.Load(A + i), T.Load(B + i), sum);
        }
    }

    private struct ImportanceRows : IRowKernel
    {
        public FloatRows W, G, Sensitivity, Uncertainty;
        public float Beta1, Beta2;
        public int Width;

        public readonly void Row(int row) => Columns.Each(
            new Place { W = W[row], G = G[row], Sensitivity = Sensitivity[row], Uncertainty = Uncertainty[row], Beta1 = Beta1, Beta2 = Beta2 }, Width);

        private struct Place : IColumnAction
        {
            public float* W, G, Sensitivity, Uncertainty;
            public float Beta1, Beta2;

            [MethodImpl(MethodImplOptions.AggressiveInlining)]
            public readonly void At<T>(int i)
                where T : unmanaged, ILanes<T>
            {
                T importance = T.Abs(T.Load(W + i) * T.Load(G + i));
                T smoothed = T.Of(Beta1) * T.Load(Sensitivity + i) + T.Of(1 - Beta1) * importance;
                smoothed.Store(Sensitivity + i);
                (T.Of(Beta2) * T.Load(Uncertainty + i) + T.Of(1 - Beta2) * T.Abs(importance - smoothed)).Store(Uncertainty + i);
            }
        }
    }
}
