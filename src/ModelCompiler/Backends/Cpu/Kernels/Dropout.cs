using System.Runtime.CompilerServices;
using ModelCompiler.Backends.Cpu.Vectors;
using ModelCompiler.Tensors;

namespace ModelCompiler.Backends.Cpu;

public sealed unsafe partial class CpuBackend
{
    /// <inheritdoc/>
    public void Dropout(Tensor x, Tensor y, float rate, ulong key, int firstRow = 0) => ForEachRow(
        new DropoutRows
        {
            X = RowsOf(x),
            Y = RowsOf(y),
            Width = y.Columns,
            Key = key,
            FirstRow = firstRow,
            Threshold = DropoutMask.Threshold(rate),
            Scale = 1 / (1 - rate),
        },
        y.Rows,
        y.Columns);

    private struct DropoutRows : IRowKernel
    {
        public FloatRows X, Y;
        public int Width;
        public ulong Key;
        public int FirstRow;
        public uint Threshold;
        public float Scale;

        public readonly void Row(int row)
        {
            ulong rowKey = DropoutMask.RowKey(Key, FirstRow + row);
            Columns.Each(new Place { X = X[row], Y = Y[row], RowKey = rowKey, Threshold = Threshold, Scale = Scale }, Width);
        }

        private struct Place : IColumnAction
        {
            public float* X, Y;
            public ulong RowKey;
            public uint Threshold;
            public float Scale;

            [MethodImpl(MethodImplOptions.AggressiveInlining)]
            public readonly void At<T>(int i)
                where T : unmanaged, ILanes<T> => (T.Load(X + i) * T.Of(Scale) & T.Kept(RowKey, i, Threshold)).Store(Y + i);
        }
    }
}
