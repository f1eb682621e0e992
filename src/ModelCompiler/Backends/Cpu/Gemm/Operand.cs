using System.Runtime.CompilerServices;
using ModelCompiler.Planning;
using ModelCompiler.Tensors;

namespace ModelCompiler.Backends.Cpu.Gemm;

/// <summary>The right-hand side B [k, n] of a product, as it lies in memory: row-major, or as the transpose of a row-major matrix.</summary>
internal unsafe struct Operand
{
    private const int StripDepth = 64;

    /// <summary>The first element.</summary>
    public byte* Data;

    /// <summary>Bytes from one stored row to the next.</summary>
    public long RowBytes;

    /// <summary>Float32, BFloat16 or quantized.</summary>
    public DType Type;

    /// <summary>The same in quantized form; of no meaning otherwise.</summary>
    public QuantizedMatrix Codes;

    /// <summary>Whether the stored rows are the columns of B.</summary>
    public bool Transposed;

    /// <summary>The operand that is <paramref name="stored"/>, or its transpose.</summary>
    /// <exception cref="ArgumentException">The element type is not one of a weight.</exception>
    public static Operand Of(Tensor stored, byte* data, bool transposed)
    {
        if (stored.Type.IsQuantized())
        {
            return new Operand { Data = data, Type = stored.Type, Codes = QuantizedMatrix.Of(stored, data), Transposed = transposed };
        }

        if (stored.Type is not (DType.Float32 or DType.BFloat16))
        {
            throw new ArgumentException($"{stored} must be Float32, BFloat16 or quantized.");
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
        else if (Type.IsQuantized())
        {
            PackCodes(k, count, n, columns, panel, scale);
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
        else if (Type.IsQuantized())
        {
            PackCodeColumns(k, count, n, columns, rows, stride);
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

    /// <summary>Decoded rows fill the panel itself; or 4-bit codes do, transposed as they are; or a strip that stays in the first-level cache, to be transposed from there.</summary>
    [SkipLocalsInit]
    private readonly void PackCodes(int k, int count, int n, int columns, float* panel, float scale)
    {
        if (!Transposed)
        {
            for (int i = 0; i < count; i++, panel += Tile.Columns)
            {
                Codes.Decode((long)(k + i) * Codes.Columns + n, columns, panel, scale);
                new Span<float>(panel + columns, Tile.Columns - columns).Clear();
            }

            return;
        }

        if (NibblePanel.Fits(Codes, k, count, columns))
        {
            NibblePanel.Pack(Codes, k, count, n, columns, panel, scale);
            return;
        }

        float* strip = stackalloc float[Tile.Columns * StripDepth];
        for (int i = 0; i < count; i += StripDepth)
        {
            int depth = Math.Min(StripDepth, count - i);
            for (int j = 0; j < columns; j++)
            {
                Codes.Decode((long)(n + j) * Codes.Columns + k + i, depth, strip + j * StripDepth, scale);
            }

            Packing.Transpose<Float32Element>((byte*)strip, StripDepth * sizeof(float), columns, depth, panel + i * Tile.Columns);
        }
    }

    [SkipLocalsInit]
    private readonly void PackCodeColumns(int k, int count, int n, int columns, float* rows, int stride)
    {
        if (Transposed)
        {
            for (int j = 0; j < columns; j++)
            {
                Codes.Decode((long)(n + j) * Codes.Columns + k, count, rows + (nint)j * stride, 1);
            }

            return;
        }

        float* row = stackalloc float[Tile.Columns];
        for (int i = 0; i < count; i++)
        {
            Codes.Decode((long)(k + i) * Codes.Columns + n, columns, row, 1);
            for (int j = 0; j < columns; j++)
            {
                rows[(nint)j * stride + i] = row[j];
            }
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
