using ModelCompiler.Planning;
using ModelCompiler.Quantization;
using ModelCompiler.Tensors;

namespace ModelCompiler.Backends.Cpu.Gemm;

/// <summary>A quantised weight as it lies in memory. Kernels decode runs of its elements into caches; the whole is never decoded.</summary>
internal unsafe struct QuantizedMatrix
{
    /// <summary>NF4, Int8 or Int4.</summary>
    public DType Kind;

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

    /// <summary>destination[i] = scale · element <paramref name="first"/> + i, counted row by row.</summary>
    public readonly void Decode(long first, int count, float* destination, float scale)
    {
        while (count > 0)
        {
            long block = first >> BlockShift;
            int run = (int)Math.Min(count, ((block + 1) << BlockShift) - first);
            float factor = scale * Factor(block);
            switch (Kind)
            {
                case DType.NF4:
                    Nf4Codes.Decode(Codes, first, run, factor, destination);
                    break;
                case DType.Int8:
                    IntegerCodes.Decode8(Codes, first, run, Int8.Step(factor), destination);
                    break;
                default:
                    IntegerCodes.Decode4(Codes, first, run, factor, zeros[block], destination);
                    break;
            }

            first += run;
            destination += run;
            count -= run;
        }
    }
}
