namespace ModelCompiler.Planning;

/// <summary>How a parameter is stored.</summary>
/// <param name="Storage">The storage.</param>
/// <param name="BlockSize">Quantized: elements that share their factors; else 0.</param>
/// <param name="DoubleQuantized">NF4: whether the factors are quantized to 8 bits too.</param>
public readonly record struct WeightFormat(Storage Storage, int BlockSize = 0, bool DoubleQuantized = false)
{
    /// <summary>Elements of a block where none are said.</summary>
    public const int DefaultBlock = 64;

    /// <summary>The profile's compute type: trainable parameters, and frozen ones nobody asked to shrink.</summary>
    public static WeightFormat Compute => new(Storage.Float32);

    /// <summary>bfloat16.</summary>
    public static WeightFormat BFloat16 => new(Storage.BFloat16);

    /// <summary>NF4 in blocks of this many elements.</summary>
    public static WeightFormat NF4(int blockSize, bool doubleQuantized) => new(Storage.NF4, blockSize, doubleQuantized);

    /// <summary>Int8 in blocks of this many elements.</summary>
    public static WeightFormat Int8(int blockSize) => new(Storage.Int8, blockSize);

    /// <summary>Int4 in groups of this many inputs.</summary>
    public static WeightFormat Int4(int groupSize) => new(Storage.Int4, groupSize);

    /// <summary>The format where nothing but the storage is said, on a command line or in a budget: blocks of 64, NF4 double quantized.</summary>
    public static WeightFormat Of(Storage storage) =>
        QuantizedKind.Find(storage) is { } kind ? new WeightFormat(storage, DefaultBlock, kind.Nests) : new WeightFormat(storage);

    /// <summary>The format of a quantized element type.</summary>
    public static WeightFormat Of(DType quantized) => new(QuantizedKind.Of(quantized).Storage, quantized.BlockSize(), quantized.IsNested());

    /// <summary>The element type on a backend. One that computes in double keeps 16-bit weights as doubles: they lose nothing.</summary>
    public DType TypeOn(BackendProfile profile) => QuantizedKind.Find(Storage) is { } kind ? DTypeExtensions.Quantized(kind.Kind, BlockSize, kind.Nests && DoubleQuantized)
        : Storage == Storage.Float32 || profile.Compute == DType.Float64 ? profile.Compute
        : DType.BFloat16;

    /// <summary>As a reader would write it: "NF4, block 64, double quantized".</summary>
    public override string ToString() =>
        Storage + (BlockSize > 0 ? FormattableString.Invariant($", block {BlockSize}") : "") + (DoubleQuantized ? ", double quantized" : "");
}
