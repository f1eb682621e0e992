using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace ModelCompiler.Backends.Cpu.Gemm;

/// <summary>Tiles of 6 x 16 with 12 of 16 registers as accumulators, for AVX2 with FMA.</summary>
internal static unsafe class MicroKernel256
{
    /// <summary>Computes the first <paramref name="rows"/> rows of a tile of 32 columns.</summary>
    public static void Run(Tile* tile, int rows)
    {
        for (int column = 0; column < Tile.Columns; column += 16)
        {
            int row = 0;
            for (; rows - row >= 6; row += 6)
            {
                Rows6(tile, row, column);
            }

            if (rows - row >= 3)
            {
                Rows3(tile, row, column);
                row += 3;
            }

            if (rows - row >= 2)
            {
                Rows2(tile, row, column);
                row += 2;
            }

            if (rows - row >= 1)
            {
                Rows1(tile, row, column);
            }
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Rows6(Tile* tile, int row, int column)
    {
        Vector256<float> bias0 = Vector256<float>.Zero;
        Vector256<float> bias1 = Vector256<float>.Zero;
        if (tile->Bias != null)
        {
            bias0 = Vector256.Load(tile->Bias + column);
            bias1 = Vector256.Load(tile->Bias + column + 8);
        }

        Vector256<float> c00 = bias0, c01 = bias1;
        Vector256<float> c10 = bias0, c11 = bias1;
        Vector256<float> c20 = bias0, c21 = bias1;
        Vector256<float> c30 = bias0, c31 = bias1;
        Vector256<float> c40 = bias0, c41 = bias1;
        Vector256<float> c50 = bias0, c51 = bias1;
        TileProduct* last = &tile->LowRank;
        for (TileProduct* product = &tile->Main; product <= last; product++)
        {
            nint aRow = product->ARow;
            nint step = product->AStep;
            nint bRow = product->BRow;
            byte* b = (byte*)(product->B + column);
            byte* a0 = product->A + row * aRow;
            byte* a3 = product->A + (row + 3) * aRow;
            for (int k = product->Count; k > 0; k--)
            {
                Vector256<float> b0 = Vector256.Load((float*)b);
                Vector256<float> b1 = Vector256.Load((float*)b + 8);
                Vector256<float> v0 = Vector256.Create(*(float*)a0);
                c00 = Vector256.MultiplyAddEstimate(v0, b0, c00);
                c01 = Vector256.MultiplyAddEstimate(v0, b1, c01);
                Vector256<float> v1 = Vector256.Create(*(float*)(a0 + aRow));
                c10 = Vector256.MultiplyAddEstimate(v1, b0, c10);
                c11 = Vector256.MultiplyAddEstimate(v1, b1, c11);
                Vector256<float> v2 = Vector256.Create(*(float*)(a0 + 2 * aRow));
                c20 = Vector256.MultiplyAddEstimate(v2, b0, c20);
                c21 = Vector256.MultiplyAddEstimate(v2, b1, c21);
                Vector256<float> v3 = Vector256.Create(*(float*)a3);
                c30 = Vector256.MultiplyAddEstimate(v3, b0, c30);
                c31 = Vector256.MultiplyAddEstimate(v3, b1, c31);
                Vector256<float> v4 = Vector256.Create(*(float*)(a3 + aRow));
                c40 = Vector256.MultiplyAddEstimate(v4, b0, c40);
                c41 = Vector256.MultiplyAddEstimate(v4, b1, c41);
                Vector256<float> v5 = Vector256.Create(*(float*)(a3 + 2 * aRow));
                c50 = Vector256.MultiplyAddEstimate(v5, b0, c50);
                c51 = Vector256.MultiplyAddEstimate(v5, b1, c51);
                a0 += step;
                a3 += step;
                b += bRow;
            }
        }

        Store(tile, row, column, c00, c01);
        Store(tile, row + 1, column, c10, c11);
        Store(tile, row + 2, column, c20, c21);
        Store(tile, row + 3, column, c30, c31);
        Store(tile, row + 4, column, c40, c41);
        Store(tile, row + 5, column, c50, c51);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Rows3(Tile* tile, int row, int column)
    {
        Vector256<float> bias0 = Vector256<float>.Zero;
        Vector256<float> bias1 = Vector256<float>.Zero;
        if (tile->Bias != null)
        {
            bias0 = Vector256.Load(tile->Bias + column);
            bias1 = Vector256.Load(tile->Bias + column + 8);
        }

        Vector256<float> c00 = bias0, c01 = bias1;
        Vector256<float> c10 = bias0, c11 = bias1;
        Vector256<float> c20 = bias0, c21 = bias1;
        TileProduct* last = &tile->LowRank;
        for (TileProduct* product = &tile->Main; product <= last; product++)
        {
            nint aRow = product->ARow;
            nint step = product->AStep;
            nint bRow = product->BRow;
            byte* b = (byte*)(product->B + column);
            byte* a0 = product->A + row * aRow;
            for (int k = product->Count; k > 0; k--)
            {
                Vector256<float> b0 = Vector256.Load((float*)b);
                Vector256<float> b1 = Vector256.Load((float*)b + 8);
                Vector256<float> v0 = Vector256.Create(*(float*)a0);
                c00 = Vector256.MultiplyAddEstimate(v0, b0, c00);
                c01 = Vector256.MultiplyAddEstimate(v0, b1, c01);
                Vector256<float> v1 = Vector256.Create(*(float*)(a0 + aRow));
                c10 = Vector256.MultiplyAddEstimate(v1, b0, c10);
                c11 = Vector256.MultiplyAddEstimate(v1, b1, c11);
                Vector256<float> v2 = Vector256.Create(*(float*)(a0 + 2 * aRow));
                c20 = Vector256.MultiplyAddEstimate(v2, b0, c20);
                c21 = Vector256.MultiplyAddEstimate(v2, b1, c21);
                a0 += step;
                b += bRow;
            }
        }

        Store(tile, row, column, c00, c01);
        Store(tile, row + 1, column, c10, c11);
        Store(tile, row + 2, column, c20, c21);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Rows2(Tile* tile, int row, int column)
    {
        Vector256<float> bias0 = Vector256<float>.Zero;
        Vector256<float> bias1 = Vector256<float>.Zero;
        if (tile->Bias != null)
        {
            bias0 = Vector256.Load(tile->Bias + column);
            bias1 = Vector256.Load(tile->Bias + column + 8);
        }

        Vector256<float> c00 = bias0, c01 = bias1;
        Vector256<float> c10 = bias0, c11 = bias1;
        TileProduct* last = &tile->LowRank;
        for (TileProduct* product = &tile->Main; product <= last; product++)
        {
            nint aRow = product->ARow;
            nint step = product->AStep;
            nint bRow = product->BRow;
            byte* b = (byte*)(product->B + column);
            byte* a0 = product->A + row * aRow;
            for (int k = product->Count; k > 0; k--)
            {
                Vector256<float> b0 = Vector256.Load((float*)b);
                Vector256<float> b1 = Vector256.Load((float*)b + 8);
                Vector256<float> v0 = Vector256.Create(*(float*)a0);
                c00 = Vector256.MultiplyAddEstimate(v0, b0, c00);
                c01 = Vector256.MultiplyAddEstimate(v0, b1, c01);
                Vector256<float> v1 = Vector256.Create(*(float*)(a0 + aRow));
                c10 = Vector256.MultiplyAddEstimate(v1, b0, c10);
                c11 = Vector256.MultiplyAddEstimate(v1, b1, c11);
                a0 += step;
                b += bRow;
            }
        }

        Store(tile, row, column, c00, c01);
        Store(tile, row + 1, column, c10, c11);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Rows1(Tile* tile, int row, int column)
    {
        Vector256<float> bias0 = Vector256<float>.Zero;
        Vector256<float> bias1 = Vector256<float>.Zero;
        if (tile->Bias != null)
        {
            bias0 = Vector256.Load(tile->Bias + column);
            bias1 = Vector256.Load(tile->Bias + column + 8);
        }

        Vector256<float> c00 = bias0, c01 = bias1;
        TileProduct* last = &tile->LowRank;
        for (TileProduct* product = &tile->Main; product <= last; product++)
        {
            nint aRow = product->ARow;
            nint step = product->AStep;
            nint bRow = product->BRow;
            byte* b = (byte*)(product->B + column);
            byte* a0 = product->A + row * aRow;
            for (int k = product->Count; k > 0; k--)
            {
                Vector256<float> b0 = Vector256.Load((float*)b);
                Vector256<float> b1 = Vector256.Load((float*)b + 8);
                Vector256<float> v0 = Vector256.Create(*(float*)a0);
                c00 = Vector256.MultiplyAddEstimate(v0, b0, c00);
                c01 = Vector256.MultiplyAddEstimate(v0, b1, c01);
                a0 += step;
                b += bRow;
            }
        }

        Store(tile, row, column, c00, c01);
    }

    /// <summary>C = scale · accumulators + C's start.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(Tile* tile, int row, int column, Vector256<float> c0, Vector256<float> c1)
    {
        c0 *= tile->Scale;
        c1 *= tile->Scale;
        if (tile->Start != null)
        {
            float* start = tile->Start + row * tile->StartStride + column;
            c0 += Vector256.Load(start);
            c1 += Vector256.Load(start + 8);
        }

        float* c = tile->C + row * tile->CStride + column;
        c0.Store(c);
        c1.Store(c + 8);
    }
}
