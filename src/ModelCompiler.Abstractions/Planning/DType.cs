namespace ModelCompiler.Planning;

/// <summary>
/// Element type of a tensor. Of a quantized one the low byte is the kind; the next holds the base-2 logarithm of the block size, bit 16
/// whether the blocks' factors are quantized too: see <see cref="DTypeExtensions.Quantized"/>.
/// </summary>
public enum DType
{
    /// <summary>32-bit IEEE floating point.</summary>
    Float32,

    /// <summary>64-bit IEEE floating point; only the Reference backend computes in it.</summary>
    Float64,

    /// <summary>bfloat16: the upper half of a float32.</summary>
    BFloat16,

    /// <summary>32-bit signed integer: token ids and targets.</summary>
    Int32,

    /// <summary>Bytes, such as the parts of a quantized weight.</summary>
    UInt8,

    /// <summary>Quantized, 4 bits: an index into the NF4 codebook times the block's absmax.</summary>
    NF4,

    /// <summary>Quantized, 8 bits, signed: code / 127 times the block's absmax.</summary>
    Int8,

    /// <summary>Quantized, 4 bits, asymmetric: (code − zero) times scale, both per group.</summary>
    Int4,
}

/// <summary>Sizes of element types.</summary>
public static class DTypeExtensions
{
    private const int KindMask = 0xFF;
    private const int BlockShift = 8;
    private const int Nested = 1 << 16;

    /// <summary>A quantized type.</summary>
    /// <param name="kind">NF4, Int8 or Int4.</param>
    /// <param name="blockSize">Elements that share their factors: a power of two.</param>
    /// <param name="nested">Whether the factors are quantized to 8 bits themselves.</param>
    public static DType Quantized(DType kind, int blockSize, bool nested)
    {
        int log = 0;
        while (1 << log < blockSize)
        {
            log++;
        }

        return (DType)((int)kind | log << BlockShift | (nested ? Nested : 0));
    }

    /// <summary>The type without block size and nesting.</summary>
    public static DType Kind(this DType type) => (DType)((int)type & KindMask);

    /// <summary>Whether elements are codes: only kernels that read weights, and <see cref="StorageLayout"/>, know such a tensor.</summary>
    public static bool IsQuantized(this DType type) => type.Kind() >= DType.NF4;

    /// <summary>Elements of a quantized type that share their factors.</summary>
    public static int BlockSize(this DType type) => 1 << ((int)type >> BlockShift & 0xFF);

    /// <summary>Whether the factors of a quantized type are quantized themselves.</summary>
    public static bool IsNested(this DType type) => ((int)type & Nested) != 0;

    /// <summary>Bytes of one element.</summary>
    /// <exception cref="ArgumentException">The type is quantized: its bytes are those of its <see cref="StorageLayout"/>.</exception>
    public static int Size(this DType type) => type switch
    {
        DType.Float32 or DType.Int32 => 4,
        DType.BFloat16 => 2,
        DType.Float64 => 8,
        DType.UInt8 => 1,
        _ => throw new ArgumentException($"One element of {type.Kind()} has no size in bytes."),
    };
}

/// <summary>A storage of codes with factors: all that planner and compiler know of it.</summary>
/// <param name="Kind">Its element type.</param>
/// <param name="Storage">Its name in a description.</param>
/// <param name="Bits">Bits of a code: 4 or 8.</param>
/// <param name="HasZeros">Whether its blocks are groups of inputs, each with a zero point.</param>
/// <param name="Nests">Whether its factors may be quantized too.</param>
public sealed record QuantizedKind(DType Kind, Storage Storage, int Bits, bool HasZeros = false, bool Nests = false)
{
    /// <summary>All of them, in the order of <see cref="DType"/>.</summary>
    private static readonly QuantizedKind[] s_all =
    [
        new(DType.NF4, Storage.NF4, Bits: 4, Nests: true),
        new(DType.Int8, Storage.Int8, Bits: 8),
        new(DType.Int4, Storage.Int4, Bits: 4, HasZeros: true),
    ];

    /// <summary>That of a quantized type.</summary>
    public static QuantizedKind Of(DType type) => s_all[type.Kind() - DType.NF4];

    /// <summary>That of a storage; null where its elements are numbers.</summary>
    public static QuantizedKind? Find(Storage storage) => Array.Find(s_all, kind => kind.Storage == storage);
}
