using ModelCompiler.Planning;
using ModelCompiler.Quantization;
using ModelCompiler.Tensors;

namespace ModelCompiler.Backends.Cpu.Gemm;

/// <summary>A quantized weight as it lies in memory. Kernels decode runs of its elements into caches; the whole is never decoded.</summary>
internal unsafe struct QuantizedMatrix
{
    /// <summary>The type without block size and nesting.</summary>
    public DType Kind;

    /// <summary>The values of 16 codes; null where codes are bytes.</summary>
    public float* Table;

    /// <summary>Elements of one row.</summary>
    public int Columns;

    /// <summary>The codes.</summary>
    public byte* Codes;

    /// <summary>Base-2 logarithm of the elements that share factors.</summary>
    public int BlockShift;

    private byte* factors;
    private float* zeros;
    private float* nested;
    private float mean;

    /// <summary>The matrix behind a handle.</summary>
    public static QuantizedMatrix Of(Tensor stored, byte* data)
    {
        StorageLayout layout = StorageLayout.Of(stored.Type, stored.Rows, stored.Columns);
        return new QuantizedMatrix
        {
            Kind = stored.Type.Kind(),
            Table = WeightCodec.Of(stored.Type).Table,
            Columns = stored.Columns,
            Codes = data,
            BlockShift = System.Numerics.BitOperations.Log2((uint)stored.Type.BlockSize()),
            factors = data + layout.Factors,
            zeros = layout.Zeros < 0 ? null : (float*)(data + layout.Zeros),
            nested = layout.Nested < 0 ? null : (float*)(data + layout.Nested),
            mean = layout.Mean < 0 ? 0 : *(float*)(data + layout.Mean),
        };
    }

    /// <summary>The factor of a block: stored, or decoded from its 8 bits.</summary>
    public readonly float Factor(long block) => nested == null
        ? ((float*)factors)[block]
        : DoubleQuantization.Decode(factors[block], nested[block / StorageLayout.NestedBlock], mean);

    /// <summary>The zero point of a block; 0 where the format has none.</summary>
    public readonly float Zero(long block) => zeros == null ? 0 : zeros[block];

    /// <summary>
    /// The factors of elements <paramref name="first"/> + i · <paramref name="run"/>, for runs of elements within one block: where they are stored, or
    /// in <paramref name="destination"/>.
    /// </summary>
    public readonly float* Factors(long first, int run, int count, float* destination)
    {
        long block = first >> BlockShift;
        if (nested == null && run == 1 << BlockShift)
        {
            return (float*)factors + block;
        }

        int blocks = (int)(((first + (long)run * (count - 1)) >> BlockShift) - block) + 1;

        // At the end of the destination, where spreading them over the runs of a block never overwrites one still to be read.
        float* decoded = destination + count - blocks;
        DecodeFactors(block, blocks, decoded);
        for (int i = 0; blocks < count && i < count; i++)
        {
            destination[i] = decoded[((first + (long)run * i) >> BlockShift) - block];
        }

        return destination;
    }

    /// <summary>destination[i] = scale · element <paramref name="first"/> + i, counted row by row.</summary>
    public readonly void Decode(long first, int count, float* destination, float scale)
    {
        while (count > 0)
        {
            long block = first >> BlockShift;
            int run = (int)Math.Min(count, ((block + 1) << BlockShift) - first);
            float factor = scale * Factor(block);
            if (Table == null)
            {
                IntegerCodes.Decode8(Codes, first, run, WeightCodec.Of(Kind).Step(factor), destination);
            }
            else if (zeros != null)
            {
                IntegerCodes.Decode4(Codes, first, run, factor, zeros[block], destination);
            }
            else
            {
                Nf4Codes.Decode(Table, Codes, first, run, factor, destination);
            }

            first += run;
            destination += run;
            count -= run;
        }
    }

    private readonly void DecodeFactors(long block, int count, float* destination)
    {
        if (nested == null)
        {
            new ReadOnlySpan<float>((float*)factors + block, count).CopyTo(new Span<float>(destination, count));
            return;
        }

        while (count > 0)
        {
            long group = block / StorageLayout.NestedBlock;
            int part = (int)Math.Min(count, (group + 1) * StorageLayout.NestedBlock - block);
            DoubleQuantization.Decode(new ReadOnlySpan<byte>(factors + block, part), nested[group], mean, new Span<float>(destination, part));
            block += part;
            destination += part;
            count -= part;
        }
    }
}
