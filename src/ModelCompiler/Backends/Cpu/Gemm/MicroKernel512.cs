using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace ModelCompiler.Backends.Cpu.Gemm;

/// <summary>Tiles of 12 x 32 with 24 of 32 registers as accumulators; 8, 4, 2 and 1 rows for what is left. Every third row has a pointer, so that three rows share one address register.</summary>
internal static unsafe class MicroKernel512
{
    /// <summary>Computes the first <paramref name="rows"/> rows of a tile of 32 columns.</summary>
    public static void Run(Tile* tile, int rows)
    {
        if (rows == 12)
        {
            Rows12(tile, 0, 0);
            return;
        }

        int row = 0;
        if (rows >= 8)
        {
            Rows8(tile, row, 0);
            row += 8;
        }

        if (rows - row >= 4)
        {
            Rows4(tile, row, 0);
            row += 4;
        }

        if (rows - row >= 2)
        {
            Rows2(tile, row, 0);
            row += 2;
        }

        if (rows - row >= 1)
        {
            Rows1(tile, row, 0);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Rows12(Tile* tile, int row, int column)
    {
        Vector512<float> bias0 = Vector512<float>.Zero;
        Vector512<float> bias1 = Vector512<float>.Zero;
        if (tile->Bias != null)
        {
            bias0 = Vector512.Load(tile->Bias + column);
            bias1 = Vector512.Load(tile->Bias + column + 16);
        }

        Vector512<float> c00 = bias0, c01 = bias1;
        Vector512<float> c10 = bias0, c11 = bias1;
        Vector512<float> c20 = bias0, c21 = bias1;
        Vector512<float> c30 = bias0, c31 = bias1;
        Vector512<float> c40 = bias0, c41 = bias1;
        Vector512<float> c50 = bias0, c51 = bias1;
        Vector512<float> c60 = bias0, c61 = bias1;
        Vector512<float> c70 = bias0, c71 = bias1;
        Vector512<float> c80 = bias0, c81 = bias1;
        Vector512<float> c90 = bias0, c91 = bias1;
        Vector512<float> c100 = bias0, c101 = bias1;
        Vector512<float> c110 = bias0, c111 = bias1;
        TileProduct* last = &tile->LowRank;
        for (TileProduct* product = &tile->Main; product <= last; product++)
        {
            nint aRow = product->ARow;
            nint step = product->AStep;
            nint bRow = product->BRow;
            byte* b = (byte*)(product->B + column);
            byte* a0 = product->A + row * aRow;
            byte* a3 = product->A + (row + 3) * aRow;
            byte* a6 = product->A + (row + 6) * aRow;
            byte* a9 = product->A + (row + 9) * aRow;
            for (int k = product->Count; k > 0; k--)
            {
                Vector512<float> b0 = Vector512.Load((float*)b);
                Vector512<float> b1 = Vector512.Load((float*)b + 16);
                Vector512<float> v0 = Vector512.Create(*(float*)a0);
                c00 = Avx512F.FusedMultiplyAdd(v0, b0, c00);
                c01 = Avx512F.FusedMultiplyAdd(v0, b1, c01);
                Vector512<float> v1 = Vector512.Create(*(float*)(a0 + aRow));
                c10 = Avx512F.FusedMultiplyAdd(v1, b0, c10);
                c11 = Avx512F.FusedMultiplyAdd(v1, b1, c11);
                Vector512<float> v2 = Vector512.Create(*(float*)(a0 + 2 * aRow));
                c20 = Avx512F.FusedMultiplyAdd(v2, b0, c20);
                c21 = Avx512F.FusedMultiplyAdd(v2, b1, c21);
                Vector512<float> v3 = Vector512.Create(*(float*)a3);
                c30 = Avx512F.FusedMultiplyAdd(v3, b0, c30);
                c31 = Avx512F.FusedMultiplyAdd(v3, b1, c31);
                Vector512<float> v4 = Vector512.Create(*(float*)(a3 + aRow));
                c40 = Avx512F.FusedMultiplyAdd(v4, b0, c40);
                c41 = Avx512F.FusedMultiplyAdd(v4, b1, c41);
                Vector512<float> v5 = Vector512.Create(*(float*)(a3 + 2 * aRow));
                c50 = Avx512F.FusedMultiplyAdd(v5, b0, c50);
                c51 = Avx512F.FusedMultiplyAdd(v5, b1, c51);
                Vector512<float> v6 = Vector512.Create(*(float*)a6);
                c60 = Avx512F.FusedMultiplyAdd(v6, b0, c60);
                c61 = Avx512F.FusedMultiplyAdd(v6, b1, c61);
                Vector512<float> v7 = Vector512.Create(*(float*)(a6 + aRow));
                c70 = Avx512F.FusedMultiplyAdd(v7, b0, c70);
                c71 = Avx512F.FusedMultiplyAdd(v7, b1, c71);
                Vector512<float> v8 = Vector512.Create(*(float*)(a6 + 2 * aRow));
                c80 = Avx512F.FusedMultiplyAdd(v8, b0, c80);
                c81 = Avx512F.FusedMultiplyAdd(v8, b1, c81);
                Vector512<float> v9 = Vector512.Create(*(float*)a9);
                c90 = Avx512F.FusedMultiplyAdd(v9, b0, c90);
                c91 = Avx512F.FusedMultiplyAdd(v9, b1, c91);
                Vector512<float> v10 = Vector512.Create(*(float*)(a9 + aRow));
                c100 = Avx512F.FusedMultiplyAdd(v10, b0, c100);
                c101 = Avx512F.FusedMultiplyAdd(v10, b1, c101);
                Vector512<float> v11 = Vector512.Create(*(float*)(a9 + 2 * aRow));
                c110 = Avx512F.FusedMultiplyAdd(v11, b0, c110);
                c111 = Avx512F.FusedMultiplyAdd(v11, b1, c111);
                a0 += step;
                a3 += step;
                a6 += step;
                a9 += step;
                b += bRow;
            }
        }

        Store(tile, row, column, c00, c01);
        Store(tile, row + 1, column, c10, c11);
        Store(tile, row + 2, column, c20, c21);
        Store(tile, row + 3, column, c30, c31);
        Store(tile, row + 4, column, c40, c41);
        Store(tile, row + 5, column, c50, c51);
        Store(tile, row + 6, column, c60, c61);
        Store(tile, row + 7, column, c70, c71);
        Store(tile, row + 8, column, c80, c81);
        Store(tile, row + 9, column, c90, c91);
        Store(tile, row + 10, column, c100, c101);
        Store(tile, row + 11, column, c110, c111);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Rows8(Tile* tile, int row, int column)
    {
        Vector512<float> bias0 = Vector512<float>.Zero;
        Vector512<float> bias1 = Vector512<float>.Zero;
        if (tile->Bias != null)
        {
            bias0 = Vector512.Load(tile->Bias + column);
            bias1 = Vector512.Load(tile->Bias + column + 16);
        }

        Vector512<float> c00 = bias0, c01 = bias1;
        Vector512<float> c10 = bias0, c11 = bias1;
        Vector512<float> c20 = bias0, c21 = bias1;
        Vector512<float> c30 = bias0, c31 = bias1;
        Vector512<float> c40 = bias0, c41 = bias1;
        Vector512<float> c50 = bias0, c51 = bias1;
        Vector512<float> c60 = bias0, c61 = bias1;
        Vector512<float> c70 = bias0, c71 = bias1;
        TileProduct* last = &tile->LowRank;
        for (TileProduct* product = &tile->Main; product <= last; product++)
        {
            nint aRow = product->ARow;
            nint step = product->AStep;
            nint bRow = product->BRow;
            byte* b = (byte*)(product->B + column);
            byte* a0 = product->A + row * aRow;
            byte* a3 = product->A + (row + 3) * aRow;
            byte* a6 = product->A + (row + 6) * aRow;
            for (int k = product->Count; k > 0; k--)
            {
                Vector512<float> b0 = Vector512.Load((float*)b);
                Vector512<float> b1 = Vector512.Load((float*)b + 16);
                Vector512<float> v0 = Vector512.Create(*(float*)a0);
                c00 = Avx512F.FusedMultiplyAdd(v0, b0, c00);
                c01 = Avx512F.FusedMultiplyAdd(v0, b1, c01);
                Vector512<float> v1 = Vector512.Create(*(float*)(a0 + aRow));
                c10 = Avx512F.FusedMultiplyAdd(v1, b0, c10);
                c11 = Avx512F.FusedMultiplyAdd(v1, b1, c11);
                Vector512<float> v2 = Vector512.Create(*(float*)(a0 + 2 * aRow));
                c20 = Avx512F.FusedMultiplyAdd(v2, b0, c20);
                c21 = Avx512F.FusedMultiplyAdd(v2, b1, c21);
                Vector512<float> v3 = Vector512.Create(*(float*)a3);
                c30 = Avx512F.FusedMultiplyAdd(v3, b0, c30);
                c31 = Avx512F.FusedMultiplyAdd(v3, b1, c31);
                Vector512<float> v4 = Vector512.Create(*(float*)(a3 + aRow));
                c40 = Avx512F.FusedMultiplyAdd(v4, b0, c40);
                c41 = Avx512F.FusedMultiplyAdd(v4, b1, c41);
                Vector512<float> v5 = Vector512.Create(*(float*)(a3 + 2 * aRow));
                c50 = Avx512F.FusedMultiplyAdd(v5, b0, c50);
                c51 = Avx512F.FusedMultiplyAdd(v5, b1, c51);
                Vector512<float> v6 = Vector512.Create(*(float*)a6);
                c60 = Avx512F.FusedMultiplyAdd(v6, b0, c60);
                c61 = Avx512F.FusedMultiplyAdd(v6, b1, c61);
                Vector512<float> v7 = Vector512.Create(*(float*)(a6 + aRow));
                c70 = Avx512F.FusedMultiplyAdd(v7, b0, c70);
                c71 = Avx512F.FusedMultiplyAdd(v7, b1, c71);
                a0 += step;
                a3 += step;
                a6 += step;
                b += bRow;
            }
        }

        Store(tile, row, column, c00, c01);
        Store(tile, row + 1, column, c10, c11);
        Store(tile, row + 2, column, c20, c21);
        Store(tile, row + 3, column, c30, c31);
        Store(tile, row + 4, column, c40, c41);
        Store(tile, row + 5, column, c50, c51);
        Store(tile, row + 6, column, c60, c61);
        Store(tile, row + 7, column, c70, c71);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Rows4(Tile* tile, int row, int column)
    {
        Vector512<float> bias0 = Vector512<float>.Zero;
        Vector512<float> bias1 = Vector512<float>.Zero;
        if (tile->Bias != null)
        {
            bias0 = Vector512.Load(tile->Bias + column);
            bias1 = Vector512.Load(tile->Bias + column + 16);
        }

        Vector512<float> c00 = bias0, c01 = bias1;
        Vector512<float> c10 = bias0, c11 = bias1;
        Vector512<float> c20 = bias0, c21 = bias1;
        Vector512<float> c30 = bias0, c31 = bias1;
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
                Vector512<float> b0 = Vector512.Load((float*)b);
                Vector512<float> b1 = Vector512.Load((float*)b + 16);
                Vector512<float> v0 = Vector512.Create(*(float*)a0);
                c00 = Avx512F.FusedMultiplyAdd(v0, b0, c00);
                c01 = Avx512F.FusedMultiplyAdd(v0, b1, c01);
                Vector512<float> v1 = Vector512.Create(*(float*)(a0 + aRow));
                c10 = Avx512F.FusedMultiplyAdd(v1, b0, c10);
                c11 = Avx512F.FusedMultiplyAdd(v1, b1, c11);
                Vector512<float> v2 = Vector512.Create(*(float*)(a0 + 2 * aRow));
                c20 = Avx512F.FusedMultiplyAdd(v2, b0, c20);
                c21 = Avx512F.FusedMultiplyAdd(v2, b1, c21);
                Vector512<float> v3 = Vector512.Create(*(float*)a3);
                c30 = Avx512F.FusedMultiplyAdd(v3, b0, c30);
                c31 = Avx512F.FusedMultiplyAdd(v3, b1, c31);
                a0 += step;
                a3 += step;
                b += bRow;
            }
        }

        Store(tile, row, column, c00, c01);
        Store(tile, row + 1, column, c10, c11);
        Store(tile, row + 2, column, c20, c21);
        Store(tile, row + 3, column, c30, c31);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Rows2(Tile* tile, int row, int column)
    {
        Vector512<float> bias0 = Vector512<float>.Zero;
        Vector512<float> bias1 = Vector512<float>.Zero;
        if (tile->Bias != null)
        {
            bias0 = Vector512.Load(tile->Bias + column);
            bias1 = Vector512.Load(tile->Bias + column + 16);
        }

        Vector512<float> c00 = bias0, c01 = bias1;
        Vector512<float> c10 = bias0, c11 = bias1;
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
                Vector512<float> b0 = Vector512.Load((float*)b);
                Vector512<float> b1 = Vector512.Load((float*)b + 16);
                Vector512<float> v0 = Vector512.Create(*(float*)a0);
                c00 = Avx512F.FusedMultiplyAdd(v0, b0, c00);
                c01 = Avx512F.FusedMultiplyAdd(v0, b1, c01);
                Vector512<float> v1 = Vector512.Create(*(float*)(a0 + aRow));
                c10 = Avx512F.FusedMultiplyAdd(v1, b0, c10);
                c11 = Avx512F.FusedMultiplyAdd(v1, b1, c11);
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
        Vector512<float> bias0 = Vector512<float>.Zero;
        Vector512<float> bias1 = Vector512<float>.Zero;
        if (tile->Bias != null)
        {
            bias0 = Vector512.Load(tile->Bias + column);
            bias1 = Vector512.Load(tile->Bias + column + 16);
        }

        Vector512<float> c00 = bias0, c01 = bias1;
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
                Vector512<float> b0 = Vector512.Load((float*)b);
                Vector512<float> b1 = Vector512.Load((float*)b + 16);
                Vector512<float> v0 = Vector512.Create(*(float*)a0);
                c00 = Avx512F.FusedMultiplyAdd(v0, b0, c00);
                c01 = Avx512F.FusedMultiplyAdd(v0, b1, c01);
                a0 += step;
                b += bRow;
            }
        }

        Store(tile, row, column, c00, c01);
    }

    /// <summary>C = scale · accumulators + C's start.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(Tile* tile, int row, int column, Vector512<float> c0, Vector512<float> c1)
    {
        c0 *= tile->Scale;
        c1 *= tile->Scale;
        if (tile->Start != null)
        {
            float* start = tile->Start + row * tile->StartStride + column;
            c0 += Vector512.Load(start);
            c1 += Vector512.Load(start + 16);
        }

        float* c = tile->C + row * tile->CStride + column;
        c0.Store(c);
        c1.Store(c + 16);
    }
}
