using System.Runtime.Intrinsics;

namespace ModelCompiler.Backends.Cpu.Gemm;

/// <summary>One sum of products of a tile: Σ_k A[i, k] · B[k, j].</summary>
internal unsafe struct TileProduct
{
    /// <summary>A[0, 0].</summary>
    public byte* A;

    /// <summary>Bytes from A[i, k] to A[i + 1, k]: the row of a row-major A, one element of a transposed A.</summary>
    public nint ARow;

    /// <summary>Bytes from A[i, k] to A[i, k + 1].</summary>
    public nint AStep;

    /// <summary>B[0, 0]; 32 columns are read.</summary>
    public float* B;

    /// <summary>Bytes from B[k, j] to B[k + 1, j].</summary>
    public nint BRow;

    /// <summary>Number of products in the sum.</summary>
    public int Count;
}

/// <summary>
/// What a micro-kernel computes, up to 12 rows of 32 columns: C = scale · (bias + main + low-rank) + start. The low-rank term joins the
/// accumulators while they are in registers; as a second pass over C it would cost many times its operations.
/// </summary>
internal unsafe struct Tile
{
    /// <summary>Rows of a full tile.</summary>
    public const int Rows = 12;

    /// <summary>Columns of every tile, and of a packed panel.</summary>
    public const int Columns = 32;

    /// <summary>The first sum.</summary>
    public TileProduct Main;

    /// <summary>The second sum, directly behind the first; <see cref="TileProduct.Count"/> is 0 where there is none.</summary>
    public TileProduct LowRank;

    /// <summary>32 values, the same for each row, or null.</summary>
    public float* Bias;

    /// <summary>What is added at the end, or null; may be C.</summary>
    public float* Start;

    /// <summary>Elements from one row of the start to the next.</summary>
    public nint StartStride;

    /// <summary>The result.</summary>
    public float* C;

    /// <summary>Elements from one row of C to the next.</summary>
    public nint CStride;

    /// <summary>Factor on the sums and the bias.</summary>
    public float Scale;

    /// <summary>Computes the first <paramref name="rows"/> (1 to 12) rows with the widest vectors of the machine; the test is a constant when compiled.</summary>
    public static void Run(Tile* tile, int rows)
    {
        if (Vector512.IsHardwareAccelerated)
        {
            MicroKernel512.Run(tile, rows);
        }
        else if (Vector256.IsHardwareAccelerated)
        {
            MicroKernel256.Run(tile, rows);
        }
        else
        {
            MicroKernel128.Run(tile, rows);
        }
    }
}
