using System.Numerics;
using System.Runtime.InteropServices;
using ModelCompiler.Planning;

namespace ModelCompiler.Quantization;

/// <summary>
/// Reads elements of a quantized weight out of its bytes (<see cref="StorageLayout"/>). Each is one fp32 product: NF4 codebook[code] · absmax,
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
        WeightCodec codec = WeightCodec.Of(type);
        while (!values.IsEmpty)
        {
            long block = first / size;
            int count = (int)Math.Min(values.Length, (block + 1) * size - first);
            float factor = Factor(type, layout, packed, block);
            if (codec.Values.IsEmpty)
            {
                ReadBytes(packed, first, codec.Step(factor), values[..count]);
            }
            else
            {
                float zero = layout.Zeros < 0 ? 0 : Number(packed, layout.Zeros, block);
                ReadNibbles(codec.Values, packed, first, codec.Step(factor), zero, values[..count]);
            }

            first += count;
            values = values[count..];
        }
    }

    private static void ReadNibbles<T>(ReadOnlySpan<float> table, ReadOnlySpan<byte> codes, long first, float step, float zero, Span<T> values)
        where T : unmanaged, INumber<T>
    {
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = T.CreateTruncating((table[Nibble(codes, first + i)] - zero) * step);
        }
    }

    private static void ReadBytes<T>(ReadOnlySpan<byte> codes, long first, float step, Span<T> values)
        where T : unmanaged, INumber<T>
    {
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = T.CreateTruncating((sbyte)codes[(int)(first + i)] * step);
        }
    }

    private static int Nibble(ReadOnlySpan<byte> codes, long element)
    {
        byte both = codes[(int)(element / 2)];
        return element % 2 == 0 ? both >> 4 : both & 15;
    }

    private static float Number(ReadOnlySpan<byte> packed, long part, long index) => MemoryMarshal.Read<float>(packed[(int)(part + 4 * index)..]);
}
