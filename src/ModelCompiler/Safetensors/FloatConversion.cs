using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;

namespace ModelCompiler.Safetensors;

/// <summary>Between the little-endian element types of files and float.</summary>
internal static class FloatConversion
{
    /// <summary>Reads as many elements as <paramref name="destination"/> holds.</summary>
    public static void Widen(SafetensorsType type, ReadOnlySpan<byte> source, Span<float> destination)
    {
        switch (type)
        {
            case SafetensorsType.F32:
                for (int i = 0; i < destination.Length && !BitConverter.IsLittleEndian; i++)
                {
                    destination[i] = BinaryPrimitives.ReadSingleLittleEndian(source[(4 * i)..]);
                }

                if (BitConverter.IsLittleEndian)
                {
                    source[..(4 * destination.Length)].CopyTo(MemoryMarshal.AsBytes(destination));
                }

                break;
            case SafetensorsType.BF16:
                WidenBFloat16(source, destination);
                break;
            case SafetensorsType.F16:
                for (int i = 0; i < destination.Length; i++)
                {
                    destination[i] = (float)BinaryPrimitives.ReadHalfLittleEndian(source[(2 * i)..]);
                }

                break;
            case SafetensorsType.F64:
                for (int i = 0; i < destination.Length; i++)
                {
                    destination[i] = (float)BinaryPrimitives.ReadDoubleLittleEndian(source[(8 * i)..]);
                }

                break;
            case SafetensorsType.U8:
                for (int i = 0; i < destination.Length; i++)
                {
                    destination[i] = source[i];
                }

                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(type), type, "neither a floating-point type nor U8");
        }
    }

    /// <summary>Writes every element of <paramref name="source"/> as F32, as BF16 or F16 rounded to nearest, ties to even, or as the U8 that it is.</summary>
    public static void Narrow(SafetensorsType type, ReadOnlySpan<float> source, Span<byte> destination)
    {
        for (int i = 0; i < source.Length; i++)
        {
            if (type == SafetensorsType.BF16)
            {
                BinaryPrimitives.WriteUInt16LittleEndian(destination[(2 * i)..], ToBFloat16(source[i]));
            }
            else if (type == SafetensorsType.F16)
            {
                BinaryPrimitives.WriteHalfLittleEndian(destination[(2 * i)..], (Half)source[i]);
            }
            else if (type == SafetensorsType.U8)
            {
                destination[i] = (byte)source[i];
            }
            else
            {
                BinaryPrimitives.WriteSingleLittleEndian(destination[(4 * i)..], source[i]);
            }
        }
    }

    /// <summary>Index of the first finite number that rounds to infinity in a type, or -1.</summary>
    public static int FirstTooLarge(SafetensorsType type, ReadOnlySpan<float> values)
    {
        for (int i = 0; type is SafetensorsType.F16 or SafetensorsType.BF16 && i < values.Length; i++)
        {
            float rounded = type == SafetensorsType.F16 ? (float)(Half)values[i] : BitConverter.UInt32BitsToSingle((uint)ToBFloat16(values[i]) << 16);
            if (float.IsInfinity(rounded) && float.IsFinite(values[i]))
            {
                return i;
            }
        }

        return -1;
    }

    /// <summary>The nearest bfloat16, ties to even; NaN stays NaN.</summary>
    public static ushort ToBFloat16(float value)
    {
        uint bits = BitConverter.SingleToUInt32Bits(value);
        return float.IsNaN(value) ? (ushort)((bits >> 16) | 0x40) : (ushort)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
    }

    /// <summary>Index of the first NaN or infinity, or -1.</summary>
    public static int FirstNonFinite(ReadOnlySpan<float> values)
    {
        int i = 0;
        for (; i <= values.Length - Vector<float>.Count; i += Vector<float>.Count)
        {
            var v = new Vector<float>(values[i..]);
            if (!Vector.EqualsAll(v - v, Vector<float>.Zero))
            {
                break;
            }
        }

        for (; i < values.Length; i++)
        {
            if (!float.IsFinite(values[i]))
            {
                return i;
            }
        }

        return -1;
    }

    private static void WidenBFloat16(ReadOnlySpan<byte> source, Span<float> destination)
    {
        int i = 0;
        if (BitConverter.IsLittleEndian)
        {
            ReadOnlySpan<ushort> halves = MemoryMarshal.Cast<byte, ushort>(source);
            Span<uint> bits = MemoryMarshal.Cast<float, uint>(destination);
            for (; i <= destination.Length - Vector<ushort>.Count; i += Vector<ushort>.Count)
            {
                Vector.Widen(new Vector<ushort>(halves[i..]), out Vector<uint> low, out Vector<uint> high);
                (low << 16).CopyTo(bits[i..]);
                (high << 16).CopyTo(bits[(i + Vector<uint>.Count)..]);
            }
        }

        for (; i < destination.Length; i++)
        {
            destination[i] = BitConverter.UInt32BitsToSingle((uint)BinaryPrimitives.ReadUInt16LittleEndian(source[(2 * i)..]) << 16);
        }
    }
}
