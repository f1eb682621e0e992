using System.Numerics;
using System.Runtime.InteropServices;
using ModelCompiler.Planning;

namespace ModelCompiler.Quantization;

/// <summary>
/// Reads elements of a quantised weight out of its bytes (<see cref="StorageLayout"/>). Each is one fp32 product: NF4 codebook[code] · absmax,
/// Int8 code · (absmax / 127), Int4 (code − zero) · scale; a nested absmax is decoded to fp32 first.
/// </summary>
public static class Dequantization
{
    /// <summary>Reads consecutive elements, row after row.</summary>
    /// <param name="type">The weight's type.</param>
    /// <param name="rows">Its rows.</param>
    /// <param name="columns">Its columns.</param>
    /// <param name="packed">All its bytes.</param>
    /// <param name="first">Index of the first element to read.</param>
    /// <param name="values">Takes as many as it holds.</param>
    /// <exception cref="ArgumentException">The bytes are not as many as the layout has, or the elements are not all there.</exception>
    public static void Read(DType type, int rows, int columns, ReadOnlySpan<byte> packed, long first, Span<float> values) =>
        Read<float>(type, rows, columns, packed, first, values);

    /// <inheritdoc cref="Read(DType, int, int, ReadOnlySpan{byte}, long, Span{float})"/>
    public static void Read(DType type, int rows, int columns, ReadOnlySpan<byte> packed, long first, Span<double> values) =>
        Read<double>(type, rows, columns, packed, first, values);

    /// <summary>The factor of a block, as fp32: absmax or scale.</summary>
    /// <param name="type">The weight's type.</param>
    /// <param name="layout">Its layout.</param>
    /// <param name="packed">All its bytes.</param>
    /// <param name="block">The block.</param>
    public static float Factor(DType type, in StorageLayout layout, ReadOnlySpan<byte> packed, long block) => type.IsNested()
        ? DoubleQuantization.Decode(packed[(int)(layout.Factors + block)], Number(packed, layout.Nested, block / StorageLayout.NestedBlock), Number(packed, layout.Mean, 0))
        : Number(packed, layout.Factors, block);

    internal static void Read<T>(DType type, int rows, int columns, ReadOnlySpan<byte> packed, long first, Span<T> values)
        where T : unmanaged, INumber<T>
    {
        StorageLayout layout = StorageLayout.Of(type, rows, columns);
        if (packed.Length != layout.Bytes || first < 0 || first + values.Length > (long)rows * columns)
        {
            throw new ArgumentException(
                $"{values.Length} elements from {first} on, out of {packed.Length} bytes, of a weight [{rows}, {columns}] that takes {layout.Bytes}.");
        }

        int size = type.BlockSize();
        while (!values.IsEmpty)
        {
            long block = first / size;
            int count = (int)Math.Min(values.Length, (block + 1) * size - first);
            float factor = Factor(type, layout, packed, block);
            switch (type.Kind())
            {
                case DType.NF4: ReadNf4(packed, first, factor, values[..count]); break;
                case DType.Int8: ReadInt8(packed, first, Int8.Step(factor), values[..count]); break;
                default: ReadInt4(packed, first, factor, Number(packed, layout.Zeros, block), values[..count]); break;
            }

            first += count;
            values = values[count..];
        }
    }

    private static void ReadNf4<T>(ReadOnlySpan<byte> codes, long first, float absmax, Span<T> values)
        where T : unmanaged, INumber<T>
    {
        ReadOnlySpan<float> codebook = Nf4.Codebook;
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = T.CreateTruncating(codebook[Nibble(codes, first + i)] * absmax);
        }
    }

    private static void ReadInt8<T>(ReadOnlySpan<byte> codes, long first, float step, Span<T> values)
        where T : unmanaged, INumber<T>
    {
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = T.CreateTruncating((sbyte)codes[(int)(first + i)] * step);
        }
    }

    private static void ReadInt4<T>(ReadOnlySpan<byte> codes, long first, float scale, float zero, Span<T> values)
        where T : unmanaged, INumber<T>
    {
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = T.CreateTruncating((Nibble(codes, first + i) - zero) * scale);
        }
    }

    private static int Nibble(ReadOnlySpan<byte> codes, long element)
    {
        byte both = codes[(int)(element / 2)];
        return element % 2 == 0 ? both >> 4 : both & 15;
    }

    private static float Number(ReadOnlySpan<byte> packed, long part, long index) => MemoryMarshal.Read<float>(packed[(int)(part + 4 * index)..]);
}
