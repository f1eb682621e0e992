using ModelCompiler.Tensors;

namespace ModelCompiler.Backends.Cpu.Vectors;

/// <summary>
/// A matrix cut into pieces of at most 1,024 elements for kernels to which rows mean nothing. A matrix without gaps is cut as if it were one
/// row, so that many short rows (an adapter's rank) fill whole vectors.
/// </summary>
internal readonly struct Segments
{
    /// <summary>Elements of all pieces but a row's last. Short, so that a piece summed in float32 is exact to 1e-6.</summary>
    public const int Length = 1024;

    private readonly long columns;
    private readonly int stride;
    private readonly int perRow;

    public Segments(Tensor x, bool contiguous)
    {
        columns = contiguous ? x.Count : x.Columns;
        stride = x.Stride;
        perRow = (int)((columns + Length - 1) / Length);
        Count = perRow * (contiguous ? Math.Min(x.Rows, 1) : x.Rows);
    }

    /// <summary>Number of pieces.</summary>
    public int Count { get; }

    /// <summary>The first element of a piece, counted from the matrix's, and its length.</summary>
    public (nint Offset, int Length) this[int index]
    {
        get
        {
            (int row, int part) = Math.DivRem(index, perRow);
            long first = (long)part * Length;
            return ((nint)((long)row * stride + first), (int)Math.Min(Length, columns - first));
        }
    }
}
