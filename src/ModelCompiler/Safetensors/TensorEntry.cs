namespace ModelCompiler.Safetensors;

/// <summary>One line of a safetensors header.</summary>
/// <param name="Name">The tensor's name.</param>
/// <param name="Type">Its element type.</param>
/// <param name="Shape">Its dimensions, row-major; empty for a scalar.</param>
/// <param name="Begin">First byte, counted from the start of the data.</param>
/// <param name="End">One past the last byte.</param>
public sealed record TensorEntry(string Name, SafetensorsType Type, IReadOnlyList<long> Shape, long Begin, long End)
{
    /// <summary>Number of bytes.</summary>
    public long Bytes => End - Begin;

    /// <summary>Number of elements.</summary>
    public long Count => Bytes / Type.Size();

    /// <summary>Rows of the matrix it is read as: the first of two or more dimensions, else 1.</summary>
    public long Rows => Shape.Count >= 2 ? Shape[0] : 1;

    /// <summary>Columns of the matrix it is read as.</summary>
    public long Columns => Rows == 0 ? 0 : Count / Rows;

    /// <summary>The shape as [a, b].</summary>
    public string ShapeText => Format(Shape);

    /// <summary>A shape as [a, b].</summary>
    internal static string Format(IEnumerable<long> shape) => $"[{string.Join(", ", shape)}]";
}
