using System.Buffers;
using ModelCompiler.Backends;
using ModelCompiler.Planning;
using ModelCompiler.Quantization;
using ModelCompiler.Tensors;

namespace ModelCompiler.Backends;

/// <summary>Gives rows of a stored tensor.</summary>
internal delegate void ReadRows(long firstRow, int count, Span<float> destination);

/// <summary>
/// Moves stored tensors into the arena a block of rows at a time, so that no second copy of the weights exists. What is to be quantized is
/// quantized on the way: beside the block only the tensor's codes are on the host.
/// </summary>
internal static class RowBlocks
{
    private const int BlockElements = 1 << 16;

    /// <summary>Fills a tensor.</summary>
    public static void Load(IBackend kernels, Tensor destination, ReadRows read)
    {
        if (!destination.Type.IsQuantized())
        {
            Stream(destination, read, (row, rows, values) => kernels.Write(destination.Slice(row, rows), values));
            return;
        }

        Tensor bytes = destination.Bytes;
        byte[] packed = ArrayPool<byte>.Shared.Rent(bytes.Columns);
        var quantizer = new WeightQuantizer(destination.Type, destination.Rows, destination.Columns, packed.AsMemory(0, bytes.Columns));
        Stream(destination, read, (_, _, values) => quantizer.Add(values));
        quantizer.Complete();
        kernels.Write(bytes, packed.AsSpan(0, bytes.Columns));
        ArrayPool<byte>.Shared.Return(packed);
    }

    /// <summary>Reads all rows in order, a block at a time: first row, number of rows and their values.</summary>
    public static void Stream(Tensor shape, ReadRows read, Action<int, int, ReadOnlySpan<float>> take)
    {
        int rowsAtOnce = Math.Clamp(BlockElements / shape.Columns, 1, shape.Rows);
        float[] block = ArrayPool<float>.Shared.Rent(rowsAtOnce * shape.Columns);
        for (int row = 0; row < shape.Rows; row += rowsAtOnce)
        {
            int rows = Math.Min(rowsAtOnce, shape.Rows - row);
            Span<float> values = block.AsSpan(0, rows * shape.Columns);
            read(row, rows, values);
            take(row, rows, values);
        }

        ArrayPool<float>.Shared.Return(block);
    }
}
