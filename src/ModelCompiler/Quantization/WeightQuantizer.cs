using System.Runtime.InteropServices;
using ModelCompiler.Planning;

namespace ModelCompiler.Quantization;

/// <summary>
/// Turns a stream of weights into the bytes of a quantized weight (<see cref="StorageLayout"/>). Besides those it holds one block of floats
/// and, for double quantization, the factors: never the whole weight.
/// </summary>
public sealed class WeightQuantizer
{
    private readonly DType _type;
    private readonly StorageLayout _layout;
    private readonly long _count;
    private readonly Memory<byte> _packed;
    private readonly float[] _started;
    private readonly byte[] _codes;
    private readonly float[] _factors;
    private long _given;

    /// <summary>Starts a weight.</summary>
    /// <param name="type">A quantized type.</param>
    /// <param name="rows">Rows.</param>
    /// <param name="columns">Columns.</param>
    /// <param name="packed">Takes the weight's bytes, as many as its layout has.</param>
    /// <exception cref="ArgumentException"><paramref name="packed"/> has another length.</exception>
    public WeightQuantizer(DType type, int rows, int columns, Memory<byte> packed)
    {
        _type = type;
        _layout = StorageLayout.Of(type, rows, columns);
        _count = (long)rows * columns;
        if (packed.Length != _layout.Bytes)
        {
            throw new ArgumentException($"{packed.Length} bytes for a weight [{rows}, {columns}] that takes {_layout.Bytes}.", nameof(packed));
        }

        _packed = packed;
        _packed.Span.Clear();
        _started = new float[type.BlockSize()];
        _codes = new byte[type.BlockSize() + 1];
        _factors = type.IsNested() ? new float[_layout.Blocks] : [];
    }

    /// <summary>Quantizes a whole weight.</summary>
    /// <param name="type">A quantized type.</param>
    /// <param name="rows">Rows.</param>
    /// <param name="columns">Columns.</param>
    /// <param name="values">Its elements, row after row.</param>
    /// <returns>Its bytes.</returns>
    /// <exception cref="ArgumentException">There are more or fewer values than elements, or one is not finite.</exception>
    public static byte[] Quantize(DType type, int rows, int columns, ReadOnlySpan<float> values)
    {
        var packed = new byte[StorageLayout.BytesOf(type, rows, columns)];
        var quantizer = new WeightQuantizer(type, rows, columns, packed);
        quantizer.Add(values);
        quantizer.Complete();
        return packed;
    }

    /// <summary>Takes the next elements, row after row; a block may begin in one call and end in another.</summary>
    /// <exception cref="ArgumentException">There are more than the weight has, or one is not finite.</exception>
    public void Add(ReadOnlySpan<float> values)
    {
        if (values.Length > _count - _given)
        {
            throw new ArgumentException($"{_given + values.Length} elements for a weight of {_count}.", nameof(values));
        }

        int size = _started.Length;
        while (!values.IsEmpty)
        {
            int pending = (int)(_given % size);
            int taken = Math.Min(size - pending, values.Length);
            if (taken == size)
            {
                Encode(values[..size], _given);
            }
            else
            {
                values[..taken].CopyTo(_started.AsSpan(pending));
                if (pending + taken == size)
                {
                    Encode(_started, _given - pending);
                }
            }

            _given += taken;
            values = values[taken..];
        }
    }

    /// <summary>Ends the weight: encodes its last block where that is short, and the factors where they are quantized too.</summary>
    /// <exception cref="ArgumentException">Elements are missing.</exception>
    public void Complete()
    {
        if (_given != _count)
        {
            throw new ArgumentException($"{_given} elements for a weight of {_count}.");
        }

        int pending = (int)(_count % _started.Length);
        if (pending > 0)
        {
            Encode(_started.AsSpan(0, pending), _count - pending);
        }

        if (_type.IsNested())
        {
            Span<byte> packed = _packed.Span;
            Span<float> nested = MemoryMarshal.Cast<byte, float>(packed.Slice((int)_layout.Nested, (int)(4 * _layout.NestedBlocks)));
            float mean = DoubleQuantization.Encode(_factors, packed.Slice((int)_layout.Factors, _factors.Length), nested);
            MemoryMarshal.Write(packed[(int)_layout.Mean..], mean);
        }
    }

    /// <summary>Encodes the block that begins at element <paramref name="first"/>.</summary>
    private void Encode(ReadOnlySpan<float> block, long first)
    {
        int index = (int)(first / _started.Length);
        float absmax = Absmax(block, first);
        Span<byte> packed = _packed.Span;
        WeightCodec codec = WeightCodec.Of(_type);
        (float factor, float zero) = codec.Encode(block, absmax, _codes);
        if (codec.Values.IsEmpty)
        {
            _codes.AsSpan(0, block.Length).CopyTo(packed[(int)first..]);
        }
        else
        {
            Pack(block.Length, codec.Filler, packed[(int)(first / 2)..]);
        }

        WriteFactor(index, factor);
        if (_layout.Zeros >= 0)
        {
            MemoryMarshal.Write(packed[(int)(_layout.Zeros + 4L * index)..], zero);
        }
    }

    private static float Absmax(ReadOnlySpan<float> block, long first)
    {
        float absmax = 0;
        for (int i = 0; i < block.Length; i++)
        {
            float magnitude = MathF.Abs(block[i]);
            if (!float.IsFinite(magnitude))
            {
                throw new ArgumentException($"element {first + i} is {block[i]}: one such weight would spoil its whole block.");
            }

            absmax = magnitude > absmax ? magnitude : absmax;
        }

        return absmax;
    }

    /// <summary>Two codes a byte, the even element in the high half; a missing last one is <paramref name="filler"/>.</summary>
    private void Pack(int count, byte filler, Span<byte> target)
    {
        _codes[count] = filler;
        for (int i = 0; i < count; i += 2)
        {
            target[i / 2] = (byte)(_codes[i] << 4 | _codes[i + 1]);
        }
    }

    private void WriteFactor(int index, float factor)
    {
        if (_type.IsNested())
        {
            _factors[index] = factor;
        }
        else
        {
            MemoryMarshal.Write(_packed.Span[(int)(_layout.Factors + 4L * index)..], factor);
        }
    }
}
