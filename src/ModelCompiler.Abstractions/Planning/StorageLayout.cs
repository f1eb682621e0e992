namespace ModelCompiler.Planning;

/// <summary>
/// Where the parts of a quantized weight [rows, columns] lie inside its bytes. Elements are counted row by row, blocks are consecutive
/// elements; the last may be short. Codes of 4 bits are packed in bitsandbytes' order, the element with the even index in the high half.
/// </summary>
/// <param name="Blocks">Number of blocks.</param>
/// <param name="CodeBytes">Bytes of codes, from offset 0.</param>
/// <param name="Factors">Offset of the blocks' factors: absmax or scale as Float32, or 8-bit codes of absmax where nested.</param>
/// <param name="Zeros">Int4: offset of the zero points, Float32 per block; else -1.</param>
/// <param name="Nested">Nested: offset of the factors of the factors, Float32 per 256 blocks; else -1.</param>
/// <param name="Mean">Nested: offset of the mean of the factors, one Float32; else -1.</param>
/// <param name="Bytes">All bytes.</param>
public readonly record struct StorageLayout(long Blocks, long CodeBytes, long Factors, long Zeros, long Nested, long Mean, long Bytes)
{
    /// <summary>Blocks that share a factor of their factors (Dettmers et al. 2023, section 3, double quantization).</summary>
    public const int NestedBlock = 256;

    /// <summary>Parts start at multiples of this many bytes.</summary>
    public const int Alignment = 64;

    /// <summary>Groups of 256 blocks.</summary>
    public long NestedBlocks => (Blocks + NestedBlock - 1) / NestedBlock;

    /// <summary>The layout of a quantized weight.</summary>
    /// <param name="type">A quantized type.</param>
    /// <param name="rows">Rows.</param>
    /// <param name="columns">Columns.</param>
    public static StorageLayout Of(DType type, int rows, int columns)
    {
        long count = (long)rows * columns;
        long blocks = (count + type.BlockSize() - 1) / type.BlockSize();
        long codes = QuantizedKind.Of(type).Bits == 8 ? count : (count + 1) / 2;
        long end = codes;
        long factors = Part(ref end, type.IsNested() ? blocks : 4 * blocks);
        long zeros = QuantizedKind.Of(type).HasZeros ? Part(ref end, 4 * blocks) : -1;
        long nested = type.IsNested() ? Part(ref end, (blocks + NestedBlock - 1) / NestedBlock * 4) : -1;
        long mean = type.IsNested() ? Part(ref end, 4) : -1;
        return new StorageLayout(blocks, codes, factors, zeros, nested, mean, end);
    }

    /// <summary>Bytes of a tensor of any type whose rows lie one after the other.</summary>
    public static long BytesOf(DType type, int rows, int columns) =>
        type.IsQuantized() ? Of(type, rows, columns).Bytes : (long)rows * columns * type.Size();

    private static long Part(ref long end, long bytes)
    {
        long start = (end + Alignment - 1) / Alignment * Alignment;
        end = start + bytes;
        return start;
    }
}
