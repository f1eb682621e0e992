using System.Runtime.CompilerServices;
using ModelCompiler.Backends.Cpu.Vectors;
using ModelCompiler.Tensors;

namespace ModelCompiler.Backends.Cpu;

public sealed unsafe partial class CpuBackend
{
    /// <inheritdoc/>
    public void Add(Tensor a, Tensor b, Tensor y) =>
        ForEachRow(new AddRows { A = RowsOf(a), B = RowsOf(b), Y = RowsOf(y), Width = y.Columns }, y.Rows, y.Columns);

    private struct AddRows : IRowKernel
    {
        public FloatRows A, B, Y;
        public int Width;

        public readonly void Row(int row) => Columns.Each(new Place { A = A[row], B = B[row], Y = Y[row] }, Width);

        private struct Place : IColumnAction
        {
            public float* A, B, Y;

            [MethodImpl(MethodImplOptions.AggressiveInlining)]
            public readonly void At<T>(int i)
                where T : unmanaged, ILanes<T> => (T.Load(A + i) + T.Load(B + i)).Store(Y + i);
        }
    }
}
