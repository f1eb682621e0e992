namespace ModelCompiler.Planning;

/// <summary>Element type of a tensor.</summary>
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
}

/// <summary>Sizes of element types.</summary>
public static class DTypeExtensions
{
    /// <summary>Bytes of one element.</summary>
    public static int Size(this DType type) => type switch
    {
        DType.BFloat16 => 2,
        DType.Float64 => 8,
        _ => 4,
    };
}
