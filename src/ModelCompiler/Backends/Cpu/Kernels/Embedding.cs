using System.Runtime.CompilerServices;
using ModelCompiler.Backends.Cpu.Vectors;
using ModelCompiler.Tensors;

namespace ModelCompiler.Backends.Cpu;

public sealed unsafe partial class CpuBackend
{
    /// <inheritdoc/>
    public void Embedding(Tensor ids, Tensor table, Tensor y, float scale = 1)
    {
        RequireIds(ids, table.Rows, ignoreNegative: false);
        ForEachRow(
            new EmbeddingRows { Ids = Integers(ids), IdStride = ids.Stride, Table = WeightsOf(table), Y = RowsOf(y), Width = y.Columns, Scale = scale }, y.Rows, y.Columns);
    }

    /// <inheritdoc/>
    public void EmbeddingGradient(Tensor dy, Tensor ids, Tensor gradient, float scale = 1)
    {
        if (!gradient.IsNone)
        {
            RequireIds(ids, gradient.Rows, ignoreNegative: false);
            ForEachColumnRange(
                new EmbeddingGradientColumns
                {
                    Ids = Integers(ids),
                    IdStride = ids.Stride,
                    Dy = RowsOf(dy),
                    Gradient = RowsOf(gradient),
                    Rows = dy.Rows,
                    Scale = scale,
                },
                dy.Rows,
                dy.Columns);
        }
    }

    private struct EmbeddingRows : IRowKernel
    {
        public int* Ids;
        public nint IdStride;
        public WeightRows Table;
        public FloatRows Y;
        public int Width;
        public float Scale;

        public readonly void Row(int row) => Columns.Each(new Place { Entry = Table[Ids[row * IdStride]], Y = Y[row], Scale = Scale }, Width);

        private struct Place : IColumnAction
        {
            public WeightRow Entry;
            public float* Y;
            public float Scale;

            [MethodImpl(MethodImplOptions.AggressiveInlining)]
            public readonly void At<T>(int i)
                where T : unmanaged, ILanes<T> => (Entry.At<T>(i) * T.Of(Scale)).Store(Y + i);
        }
    }

    /// <summary>Threads share the columns, since tokens share rows of the table; each column sums in token order.</summary>
    private struct EmbeddingGradientColumns : IColumnKernel
    {
        public int* Ids;
        public nint IdStride;
        public FloatRows Dy, Gradient;
        public int Rows;
        public float Scale;

        public readonly void Range(int first, int end)
        {
            for (int row = 0; row < Rows; row++)
            {
                Columns.Each(new AddScaledPlace { X = Dy[row] + first, Y = Gradient[Ids[row * IdStride]] + first, Scale = Scale }, end - first);
            }
        }
    }

    /// <summary>y += scale · x.</summary>
    private struct AddScaledPlace : IColumnAction
    {
        public float* X, Y;
        public float Scale;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public readonly void At<T>(int i)
            where T : unmanaged, ILanes<T> => T.MultiplyAdd(T.Load(X + i), T.Of(Scale), T.Load(Y + i)).Store(Y + i);
    }
}
