using ModelCompiler.Backends;
using ModelCompiler.Tensors;

namespace ModelCompiler.Checkpoints;

/// <summary>Gives rows of a stored tensor.</summary>
internal delegate void ReadRows(long firstRow, int count, Span<float> destination);

/// <summary>Moves stored tensors into the arena a block of rows at a time, so that no second copy of the weights exists.</summary>
internal static class RowBlocks
{
    private const int BlockElements = 1 << 16;

    /// <summary>Fills a tensor.</summary>
    public static void Load(IBackend kernels, Tensor destination, ReadRows read)
    {
        int columns = destination.Columns;
        int rowsAtOnce = Math.Clamp(BlockElements / columns, 1, destination.Rows);
        var block = new float[rowsAtOnce * columns];
        for (int row = 0; row < destination.Rows; row += rowsAtOnce)
        {
            int rows = Math.Min(rowsAtOnce, destination.Rows - row);
            Span<float> values = block.AsSpan(0, rows * columns);
            read(row, rows, values);
            kernels.Write(destination.Slice(row, rows), values);
        }
    }
}
