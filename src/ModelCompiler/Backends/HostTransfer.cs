using System.Numerics;
using System.Runtime.InteropServices;
using ModelCompiler.Planning;
using ModelCompiler.Quantization;
using ModelCompiler.Tensors;

namespace ModelCompiler.Backends;

/// <summary>
/// Moves values between host spans and row-strided tensors in host memory, converting element types. A quantized weight, which is whole or
/// nothing, is quantized and decoded.
/// </summary>
internal static unsafe class HostTransfer
{
    /// <summary>Writes <paramref name="values"/>, row after row, into the tensor.</summary>
    /// <exception cref="ArgumentException">The number of values is not the number of elements.</exception>
    public static void Write<T>(byte* arena, Tensor destination, ReadOnlySpan<T> values)
        where T : unmanaged, INumber<T>
    {
        RequireCount(destination, values.Length);
        if (destination.Type.IsQuantized())
        {
            Quantize(destination, values, Packed(arena, destination));
            return;
        }

        for (int row = 0; row < destination.Rows; row++)
        {
            ReadOnlySpan<T> source = values.Slice(row * destination.Columns, destination.Columns);
            byte* target = RowAddress(arena, destination, row);
            switch (destination.Type)
            {
                case DType.Float32: Convert(source, (float*)target); break;
                case DType.Float64: Convert(source, (double*)target); break;
                case DType.Int32: Convert(source, (int*)target); break;
                case DType.UInt8: Convert(source, target); break;
                case DType.BFloat16:
                    for (int i = 0; i < source.Length; i++)
                    {
                        ((ushort*)target)[i] = ToBFloat16(float.CreateTruncating(source[i]));
                    }

                    break;
                default: throw Unknown(destination);
            }
        }
    }

    /// <summary>Reads the tensor, row after row, into <paramref name="values"/>.</summary>
    /// <exception cref="ArgumentException">The number of values is not the number of elements.</exception>
    public static void Read<T>(byte* arena, Tensor source, Span<T> values)
        where T : unmanaged, INumber<T>
    {
        RequireCount(source, values.Length);
        if (source.Type.IsQuantized())
        {
            Dequantization.Read(source.Type, source.Rows, source.Columns, Packed(arena, source), 0, values);
            return;
        }

        for (int row = 0; row < source.Rows; row++)
        {
            Span<T> target = values.Slice(row * source.Columns, source.Columns);
            byte* from = RowAddress(arena, source, row);
            switch (source.Type)
            {
                case DType.Float32: Convert((float*)from, target); break;
                case DType.Float64: Convert((double*)from, target); break;
                case DType.Int32: Convert((int*)from, target); break;
                case DType.UInt8: Convert(from, target); break;
                case DType.BFloat16:
                    for (int i = 0; i < target.Length; i++)
                    {
                        target[i] = T.CreateTruncating(FromBFloat16(((ushort*)from)[i]));
                    }

                    break;
                default: throw Unknown(source);
            }
        }
    }

    /// <summary>Sets the columns of every row to 0; what lies between the rows stays.</summary>
    public static void Zero(byte* arena, Tensor x)
    {
        for (int row = 0; row < x.Rows; row++)
        {
            new Span<byte>(RowAddress(arena, x, row), x.Columns * x.Type.Size()).Clear();
        }
    }

    /// <summary>Copies the columns of every row between tensors of one shape and type.</summary>
    /// <exception cref="ArgumentException">Shapes or types differ.</exception>
    public static void Copy(byte* arena, Tensor source, Tensor destination)
    {
        if (source.Rows != destination.Rows || source.Columns != destination.Columns || source.Type != destination.Type)
        {
            throw new ArgumentException($"Cannot copy {source} to {destination}: shape and type must agree.");
        }

        int bytes = source.Columns * source.Type.Size();
        for (int row = 0; row < source.Rows; row++)
        {
            new Span<byte>(RowAddress(arena, source, row), bytes).CopyTo(new Span<byte>(RowAddress(arena, destination, row), bytes));
        }
    }

    /// <summary>The nearest bfloat16, ties to even; a NaN stays a NaN.</summary>
    public static ushort ToBFloat16(float value)
    {
        uint bits = BitConverter.SingleToUInt32Bits(value);
        return float.IsNaN(value)
            ? (ushort)((bits >> 16) | 0x40)
            : (ushort)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
    }

    /// <summary>The float32 with the same value.</summary>
    public static float FromBFloat16(ushort bits) => BitConverter.UInt32BitsToSingle((uint)bits << 16);

    /// <summary>The bytes of a quantized weight.</summary>
    public static Span<byte> Packed(byte* arena, Tensor weight) => new(arena + weight.Offset, weight.Bytes.Columns);

    private static void Quantize<T>(Tensor destination, ReadOnlySpan<T> values, Span<byte> packed)
        where T : unmanaged, INumber<T>
    {
        var bytes = new byte[packed.Length];
        var quantizer = new WeightQuantizer(destination.Type, destination.Rows, destination.Columns, bytes);
        var row = new float[destination.Columns];
        for (; !values.IsEmpty; values = values[row.Length..])
        {
            for (int i = 0; i < row.Length; i++)
            {
                row[i] = float.CreateTruncating(values[i]);
            }

            quantizer.Add(row);
        }

        quantizer.Complete();
        bytes.CopyTo(packed);
    }

    private static byte* RowAddress(byte* arena, Tensor x, int row) => arena + x.Offset + (long)row * x.Stride * x.Type.Size();

    private static void Convert<TFrom, TTo>(ReadOnlySpan<TFrom> source, TTo* target)
        where TFrom : unmanaged, INumber<TFrom>
        where TTo : unmanaged, INumber<TTo>
    {
        if (typeof(TFrom) == typeof(TTo))
        {
            MemoryMarshal.Cast<TFrom, TTo>(source).CopyTo(new Span<TTo>(target, source.Length));
            return;
        }

        for (int i = 0; i < source.Length; i++)
        {
            target[i] = TTo.CreateTruncating(source[i]);
        }
    }

    private static void Convert<TFrom, TTo>(TFrom* source, Span<TTo> target)
        where TFrom : unmanaged, INumber<TFrom>
        where TTo : unmanaged, INumber<TTo>
    {
        if (typeof(TFrom) == typeof(TTo))
        {
            new ReadOnlySpan<TFrom>(source, target.Length).CopyTo(MemoryMarshal.Cast<TTo, TFrom>(target));
            return;
        }

        for (int i = 0; i < target.Length; i++)
        {
            target[i] = TTo.CreateTruncating(source[i]);
        }
    }

    /// <summary>Demands a value for each element.</summary>
    /// <exception cref="ArgumentException">There are more or fewer.</exception>
    public static void RequireCount(Tensor tensor, int values)
    {
        if (values != tensor.Count)
        {
            throw new ArgumentException($"{values} values for a tensor of {tensor.Count} elements ({tensor}).");
        }
    }

    private static ArgumentException Unknown(Tensor tensor) => new($"{tensor} has an element type the host cannot convert.");
}
