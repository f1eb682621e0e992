using ModelCompiler.Planning;
using ModelCompiler.Tensors;

namespace ModelCompiler.Backends.Cpu.Gemm;

/// <summary>The right-hand side B [k, n] of a product, as it lies in memory: row-major, or as the transpose of a row-major matrix.</summary>
internal unsafe struct Operand
{
    /// <summary>The first element.</summary>
    public byte* Data;

    /// <summary>Bytes from one stored row to the next.</summary>
    public long RowBytes;

    /// <summary>Float32 or BFloat16.</summary>
    public DType Type;

    /// <summary>Whether the stored rows are the columns of B.</summary>
    public bool Transposed;

    /// <summary>The operand that is <paramref name="stored"/>, or its transpose.</summary>
    /// <exception cref="ArgumentException">The element type is not one of a weight.</exception>
    public static Operand Of(Tensor stored, byte* data, bool transposed)
    {
        if (stored.Type is not (DType.Float32 or DType.BFloat16))
        {
            throw new ArgumentException($"{stored} must be Float32 or BFloat16.");
        }

        return new Operand { Data = data, RowBytes = (long)stored.Stride * stored.Type.Size(), Type = stored.Type, Transposed = transposed };
    }

    /// <summary>panel[i][j] = scale · B[k + i, n + j] for <paramref name="count"/> values of i and 32 of j, of which the first <paramref name="columns"/> exist.</summary>
    public readonly void Pack(int k, int count, int n, int columns, float* panel, float scale = 1)
    {
        if (Type == DType.Float32)
        {
            Pack<Float32Element>(k, count, n, columns, panel, scale);
        }
        else
        {
            Pack<BFloat16Element>(k, count, n, columns, panel, scale);
        }
    }

    /// <summary>rows[j · stride + i] = B[k + i, n + j]: the columns of B one after the other. Up to 15 values behind each row are overwritten.</summary>
    public readonly void PackColumns(int k, int count, int n, int columns, float* rows, int stride)
    {
        if (Type == DType.Float32)
        {
            PackColumns<Float32Element>(k, count, n, columns, rows, stride);
        }
        else
        {
            PackColumns<BFloat16Element>(k, count, n, columns, rows, stride);
        }
    }

    private readonly void Pack<T>(int k, int count, int n, int columns, float* panel, float scale)
        where T : struct, IElement
    {
        if (Transposed)
        {
            Packing.Transpose<T>(Data + n * RowBytes + k * T.Size, RowBytes, columns, count, panel, scale);
        }
        else
        {
            Packing.Copy<T>(Data + k * RowBytes + n * T.Size, RowBytes, count, columns, panel, scale);
        }
    }

    private readonly void PackColumns<T>(int k, int count, int n, int columns, float* rows, int stride)
        where T : struct, IElement
    {
        if (Transposed)
        {
            for (int j = 0; j < columns; j++)
            {
                Packing.Widen<T>(Data + (n + j) * RowBytes + k * T.Size, count, rows + (nint)j * stride);
            }

            return;
        }

        for (int i = 0; i < count; i += 16)
        {
            Packing.Transpose<T>(Data + (k + i) * RowBytes + n * T.Size, RowBytes, Math.Min(16, count - i), columns, rows + i, stride, 1);
        }
    }
}
