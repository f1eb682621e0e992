using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace ModelCompiler.Backends.Cpu.Gemm;

/// <summary>Tiles of 4 x 8 with 8 of 16 registers as accumulators, for any machine with 128-bit vectors.</summary>
internal static unsafe class MicroKernel128
{
    /// <summary>Computes the first <paramref name="rows"/> rows of a tile of 32 columns.</summary>
    public static void Run(Tile* tile, int rows)
    {
        for (int column = 0; column < Tile.Columns; column += 8)
        {
            int row = 0;
            for (; rows - row >= 4; row += 4)
            {
                Rows4(tile, row, column);
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
    private static void Rows4(Tile* tile, int row, int column)
    {
        Vector128<float> bias0 = Vector128<float>.Zero;
        Vector128<float> bias1 = Vector128<float>.Zero;
        if (tile->Bias != null)
        {
            bias0 = Vector128.Load(tile->Bias + column);
            bias1 = Vector128.Load(tile->Bias + column + 4);
        }

        Vector128<float> c00 = bias0, c01 = bias1;
        Vector128<float> c10 = bias0, c11 = bias1;
        Vector128<float> c20 = bias0, c21 = bias1;
        Vector128<float> c30 = bias0, c31 = bias1;
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
                Vector128<float> b0 = Vector128.Load((float*)b);
                Vector128<float> b1 = Vector128.Load((float*)b + 4);
                Vector128<float> v0 = Vector128.Create(*(float*)a0);
                c00 = Vector128.MultiplyAddEstimate(v0, b0, c00);
                c01 = Vector128.MultiplyAddEstimate(v0, b1, c01);
                Vector128<float> v1 = Vector128.Create(*(float*)(a0 + aRow));
                c10 = Vector128.MultiplyAddEstimate(v1, b0, c10);
                c11 = Vector128.MultiplyAddEstimate(v1, b1, c11);
                Vector128<float> v2 = Vector128.Create(*(float*)(a0 + 2 * aRow));
                c20 = Vector128.MultiplyAddEstimate(v2, b0, c20);
                c21 = Vector128.MultiplyAddEstimate(v2, b1, c21);
                Vector128<float> v3 = Vector128.Create(*(float*)a3);
                c30 = Vector128.MultiplyAddEstimate(v3, b0, c30);
                c31 = Vector128.MultiplyAddEstimate(v3, b1, c31);
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
        Vector128<float> bias0 = Vector128<float>.Zero;
        Vector128<float> bias1 = Vector128<float>.Zero;
        if (tile->Bias != null)
        {
            bias0 = Vector128.Load(tile->Bias + column);
            bias1 = Vector128.Load(tile->Bias + column + 4);
        }

        Vector128<float> c00 = bias0, c01 = bias1;
        Vector128<float> c10 = bias0, c11 = bias1;
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
                Vector128<float> b0 = Vector128.Load((float*)b);
                Vector128<float> b1 = Vector128.Load((float*)b + 4);
                Vector128<float> v0 = Vector128.Create(*(float*)a0);
                c00 = Vector128.MultiplyAddEstimate(v0, b0, c00);
                c01 = Vector128.MultiplyAddEstimate(v0, b1, c01);
                Vector128<float> v1 = Vector128.Create(*(float*)(a0 + aRow));
                c10 = Vector128.MultiplyAddEstimate(v1, b0, c10);
                c11 = Vector128.MultiplyAddEstimate(v1, b1, c11);
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
        Vector128<float> bias0 = Vector128<float>.Zero;
        Vector128<float> bias1 = Vector128<float>.Zero;
        if (tile->Bias != null)
        {
            bias0 = Vector128.Load(tile->Bias + column);
            bias1 = Vector128.Load(tile->Bias + column + 4);
        }

        Vector128<float> c00 = bias0, c01 = bias1;
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
                Vector128<float> b0 = Vector128.Load((float*)b);
                Vector128<float> b1 = Vector128.Load((float*)b + 4);
                Vector128<float> v0 = Vector128.Create(*(float*)a0);
                c00 = Vector128.MultiplyAddEstimate(v0, b0, c00);
                c01 = Vector128.MultiplyAddEstimate(v0, b1, c01);
                a0 += step;
                b += bRow;
            }
        }

        Store(tile, row, column, c00, c01);
    }

    /// <summary>C = scale · accumulators + C's start.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(Tile* tile, int row, int column, Vector128<float> c0, Vector128<float> c1)
    {
        c0 *= tile->Scale;
        c1 *= tile->Scale;
        if (tile->Start != null)
        {
            float* start = tile->Start + row * tile->StartStride + column;
            c0 += Vector128.Load(start);
            c1 += Vector128.Load(start + 4);
        }

        float* c = tile->C + row * tile->CStride + column;
        c0.Store(c);
        c1.Store(c + 4);
    }
}
