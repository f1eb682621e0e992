using ModelCompiler.Planning;

namespace ModelCompiler.Tensors;

/// <summary>
/// A handle of 24 bytes: where a row-major matrix lies in the backend's arena. It owns nothing. Ragged ranks, short last
/// chunks and prefixes of a cache are handles, not copies.
/// </summary>
/// <param name="Offset">Byte offset of the first element in the arena.</param>
/// <param name="Rows">Number of rows; 0 in <see cref="None"/>.</param>
/// <param name="Columns">Number of columns.</param>
/// <param name="Stride">Elements from one row to the next; at least <paramref name="Columns"/>.</param>
/// <param name="Type">Element type.</param>
public readonly record struct Tensor(long Offset, int Rows, int Columns, int Stride, DType Type)
{
    /// <summary>No tensor: an optional input that is absent, or an output nobody reads.</summary>
    public static Tensor None => default;

    /// <summary>Whether this is <see cref="None"/>.</summary>
    public bool IsNone => Rows == 0;

    /// <summary>Number of elements.</summary>
    public long Count => (long)Rows * Columns;

    /// <summary>One past the last byte the handle reaches.</summary>
    public long End => IsNone ? Offset
        : Type.IsQuantized() ? Offset + StorageLayout.Of(Type, Rows, Columns).Bytes
        : Offset + ((Rows - 1L) * Stride + Columns) * Type.Size();

    /// <summary>Whether all of it lies in an arena of this many bytes, its rows without overlap. Holds for any numbers: nothing here overflows.</summary>
    public bool Fits(long arenaBytes)
    {
        if (Offset < 0 || Offset > arenaBytes || Rows < 0 || Columns < 0 || Stride < Columns)
        {
            return false;
        }

        long room = arenaBytes - Offset;
        return IsNone || (Type.IsQuantized() ? (long)Rows * Columns / 2 <= room && StorageLayout.Of(Type, Rows, Columns).Bytes <= room : (Rows - 1L) * Stride + Columns <= room / Type.Size());
    }

    /// <summary>The bytes of a quantized weight, [1, bytes], as its <see cref="StorageLayout"/> orders them.</summary>
    public Tensor Bytes => new(Offset, 1, checked((int)(End - Offset)), checked((int)(End - Offset)), DType.UInt8);

    /// <summary>The rows from <paramref name="first"/> on; a quantized weight is whole or nothing.</summary>
    /// <exception cref="ArgumentOutOfRangeException">They are not all rows of this one.</exception>
    public Tensor Slice(int first, int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(first);
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, Rows - first);
        return this with { Offset = Offset + (long)first * Stride * Type.Size(), Rows = count };
    }

    /// <summary>Some rows and columns; none where there are none of either. Not of a quantized weight.</summary>
    public Tensor Window(int firstRow, int rows, int firstColumn, int columns) => rows == 0 || columns == 0
        ? None
        : this with { Offset = Offset + ((long)firstRow * Stride + firstColumn) * Type.Size(), Rows = rows, Columns = columns };

    /// <inheritdoc/>
    public override string ToString() => IsNone ? "none" : $"{Type.Kind()} [{Rows}, {Columns}] at {Offset}";
}
