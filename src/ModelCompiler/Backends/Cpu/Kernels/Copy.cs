using System.Runtime.CompilerServices;
using ModelCompiler.Backends.Cpu.Vectors;
using ModelCompiler.Planning;
using ModelCompiler.Tensors;

namespace ModelCompiler.Backends.Cpu;

public sealed unsafe partial class CpuBackend
{
    /// <inheritdoc/>
    public void Copy(Tensor source, Tensor destination)
    {
        if (source.Rows != destination.Rows || source.Columns != destination.Columns)
        {
            throw new ArgumentException($"Cannot copy {source} to {destination}: their shapes differ.");
        }

        byte* from = Arena.At(source);
        byte* to = Arena.At(destination);
        switch (source.Type, destination.Type)
        {
            case (DType.Float32, DType.BFloat16):
                var narrowed = new NarrowedRows { X = new(Floats(source), source.Stride), Y = (ushort*)to, Stride = destination.Stride, Width = source.Columns };
                ForEachRow(narrowed, source.Rows, source.Columns);
                break;
            case (DType.BFloat16, DType.Float32):
                var widened = new WidenedRows { X = (ushort*)from, Stride = source.Stride, Y = new(Floats(destination), destination.Stride), Width = source.Columns };
                ForEachRow(widened, source.Rows, source.Columns);
                break;
            default:
                HostTransfer.Copy(Arena.Address, source, destination);
                break;
        }
    }

    private struct NarrowedRows : IRowKernel
    {
        public FloatRows X;
        public ushort* Y;
        public int Stride;
        public int Width;

        public readonly void Row(int row) => Columns.Each(new Place { X = X[row], Y = Y + (nint)row * Stride }, Width);

        private struct Place : IColumnAction
        {
            public float* X;
            public ushort* Y;

            [MethodImpl(MethodImplOptions.AggressiveInlining)]
            public readonly void At<T>(int i)
                where T : unmanaged, ILanes<T> => T.Load(X + i).Store(Y + i);
        }
    }

    private struct WidenedRows : IRowKernel
    {
        public ushort* X;
        public int Stride;
        public FloatRows Y;
        public int Width;

        public readonly void Row(int row) => Columns.Each(new Place { X = X + (nint)row * Stride, Y = Y[row] }, Width);

        private struct Place : IColumnAction
        {
            public ushort* X;
            public float* Y;

            [MethodImpl(MethodImplOptions.AggressiveInlining)]
            public readonly void At<T>(int i)
                where T : unmanaged, ILanes<T> => T.Load(X + i).Store(Y + i);
        }
    }
}
