namespace ModelCompiler.Planning;

/// <summary>How the moments of one parameter are kept.</summary>
public enum MomentStorage
{
    /// <summary>It has none: it is frozen, or nothing is trained.</summary>
    None,

    /// <summary>In the compute type.</summary>
    Full,

    /// <summary>One byte an element, the index of a value of the dynamic map, and the greatest magnitude of every block of elements.</summary>
    Blockwise,

    /// <summary>In the compute type, in host memory outside the arena.</summary>
    Paged,
}

/// <summary>The blocks of 8-bit moments; they run across rows.</summary>
public static class MomentBlock
{
    /// <summary>Elements that share a scale.</summary>
    public const int Elements = 256;

    /// <summary>Blocks of a parameter of this many elements.</summary>
    public static int Count(long elements) => checked((int)((elements + Elements - 1) / Elements));
}

/// <summary>The pages of moments in host memory.</summary>
public static class MomentPages
{
    /// <summary>Whole rows in a page of this many elements; at least one.</summary>
    public static int RowsOf(int pageElements, int columns) => Math.Max(1, pageElements / columns);
}
