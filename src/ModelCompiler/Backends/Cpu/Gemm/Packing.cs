using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace ModelCompiler.Backends.Cpu.Gemm;

/// <summary>
/// Copies pieces of a row-major matrix into the panels [k][32] that micro-kernels read, widening to Float32; what is missing to
/// 32 columns becomes 0.
/// </summary>
internal static unsafe class Packing
{
    /// <summary>panel[k][j] = scale · source[k, j]: <paramref name="rows"/> rows of the source, at most 32 columns.</summary>
    public static void Copy<T>(byte* source, long rowBytes, int rows, int columns, float* panel, float scale = 1)
        where T : struct, IElement
    {
        for (int k = 0; k < rows; k++, source += rowBytes, panel += Tile.Columns)
        {
            Vector512<float> left = columns >= 16 ? T.Read16(source) : T.ReadFirst(source, columns);
            Vector512<float> right = columns == Tile.Columns ? T.Read16(source + 16 * T.Size)
                : columns > 16 ? T.ReadFirst(source + 16 * T.Size, columns - 16) : Vector512<float>.Zero;
            if (scale != 1)
            {
                left *= scale;
                right *= scale;
            }

            left.Store(panel);
            right.Store(panel + 16);
        }
    }

    /// <summary>panel[k][j] = scale · source[j, k]: at most 32 rows of the source, <paramref name="columns"/> columns.</summary>
    public static void Transpose<T>(byte* source, long rowBytes, int rows, int columns, float* panel, float scale = 1)
        where T : struct, IElement
    {
        Transpose<T>(source, rowBytes, Math.Min(rows, 16), columns, panel, Tile.Columns, scale);
        Transpose<T>(source + 16 * rowBytes, rowBytes, Math.Max(rows - 16, 0), columns, panel + 16, Tile.Columns, scale);
    }

    /// <summary>
    /// destination[k · stride + j] = scale · source[j, k] for at most 16 rows j of the source; 0 for missing rows. Sixteen values of j are
    /// always written, and <paramref name="columns"/> rounded up to 16 values of k.
    /// </summary>
    public static void Transpose<T>(byte* source, long rowBytes, int rows, int columns, float* destination, int stride, float scale)
        where T : struct, IElement
    {
        int k = 0;
        if (!Avx512F.IsSupported)
        {
            for (; Avx.IsSupported && rows == 16 && k + 16 <= columns; k += 8)
            {
                Transpose8<T>(source + k * T.Size, rowBytes, destination + (nint)k * stride, stride, scale);
                Transpose8<T>(source + 8 * rowBytes + k * T.Size, rowBytes, destination + (nint)k * stride + 8, stride, scale);
            }

            TransposePlain<T>(source + k * T.Size, rowBytes, rows, columns - k, destination + (nint)k * stride, stride, scale);
            return;
        }

        for (; rows == 16 && k + 16 <= columns; k += 16)
        {
            Transpose16<T>(source + k * T.Size, rowBytes, 16, 16, destination + (nint)k * stride, stride, scale);
        }

        for (; k < columns; k += 16)
        {
            Transpose16<T>(source + k * T.Size, rowBytes, rows, Math.Min(16, columns - k), destination + (nint)k * stride, stride, scale);
        }
    }

    /// <summary>destination[i] = source[i].</summary>
    public static void Widen<T>(byte* source, int count, float* destination)
        where T : struct, IElement
    {
        int i = 0;
        for (; i + 16 <= count; i += 16)
        {
            T.Read16(source + i * T.Size).Store(destination + i);
        }

        for (; i < count; i++)
        {
            destination[i] = T.Read(source + i * T.Size);
        }
    }

    private static void TransposePlain<T>(byte* source, long rowBytes, int rows, int columns, float* destination, int stride, float scale)
        where T : struct, IElement
    {
        for (int k = 0; k < (columns + 15) / 16 * 16; k++)
        {
            float* target = destination + (nint)k * stride;
            for (int j = 0; j < 16; j++)
            {
                target[j] = j < rows && k < columns ? scale * T.Read(source + j * rowBytes + k * T.Size) : 0;
            }
        }
    }

    /// <summary>destination[k · stride + j] = scale · source[j, k], 8 x 8 in registers: pairs, quads, then 128-bit lanes.</summary>
    public static void Transpose8<T>(byte* source, long rowBytes, float* destination, nint stride, float scale)
        where T : struct, IElement
    {
        Vector256<float> r0 = T.Read8(source), r1 = T.Read8(source + rowBytes);
        Vector256<float> r2 = T.Read8(source + 2 * rowBytes), r3 = T.Read8(source + 3 * rowBytes);
        Vector256<float> r4 = T.Read8(source + 4 * rowBytes), r5 = T.Read8(source + 5 * rowBytes);
        Vector256<float> r6 = T.Read8(source + 6 * rowBytes), r7 = T.Read8(source + 7 * rowBytes);
        Vector256<double> p0 = Avx.UnpackLow(r0, r1).AsDouble(), p1 = Avx.UnpackHigh(r0, r1).AsDouble();
        Vector256<double> p2 = Avx.UnpackLow(r2, r3).AsDouble(), p3 = Avx.UnpackHigh(r2, r3).AsDouble();
        Vector256<double> p4 = Avx.UnpackLow(r4, r5).AsDouble(), p5 = Avx.UnpackHigh(r4, r5).AsDouble();
        Vector256<double> p6 = Avx.UnpackLow(r6, r7).AsDouble(), p7 = Avx.UnpackHigh(r6, r7).AsDouble();
        StoreColumns(Avx.UnpackLow(p0, p2), Avx.UnpackLow(p4, p6), destination, stride, scale);
        StoreColumns(Avx.UnpackHigh(p0, p2), Avx.UnpackHigh(p4, p6), destination + stride, stride, scale);
        StoreColumns(Avx.UnpackLow(p1, p3), Avx.UnpackLow(p5, p7), destination + 2 * stride, stride, scale);
        StoreColumns(Avx.UnpackHigh(p1, p3), Avx.UnpackHigh(p5, p7), destination + 3 * stride, stride, scale);
    }

    /// <summary>Stores columns 0 and 4 of what the quads hold in each 128-bit lane.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StoreColumns(Vector256<double> upper, Vector256<double> lower, float* destination, nint stride, float scale)
    {
        Vector256<float> q0 = upper.AsSingle(), q1 = lower.AsSingle();
        if (scale != 1)
        {
            q0 *= scale;
            q1 *= scale;
        }

        Avx.Permute2x128(q0, q1, 0x20).Store(destination);
        Avx.Permute2x128(q0, q1, 0x31).Store(destination + 4 * stride);
    }

    /// <summary>Row <paramref name="row"/> of a 16 x 16 block of which so many rows and columns exist; the tests vanish where both are the constant 16.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> ReadRow<T>(byte* source, long rowBytes, int row, int rows, int columns)
        where T : struct, IElement =>
        row >= rows ? Vector512<float>.Zero : columns == 16 ? T.Read16(source + row * rowBytes) : T.ReadFirst(source + row * rowBytes, columns);

    /// <summary>16 x 16 in registers: pairs, quads, then 128-bit lanes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Transpose16<T>(byte* source, long rowBytes, int rows, int columns, float* destination, nint stride, float scale)
        where T : struct, IElement
    {
        Vector512<float> r0 = ReadRow<T>(source, rowBytes, 0, rows, columns);
        Vector512<float> r1 = ReadRow<T>(source, rowBytes, 1, rows, columns);
        Vector512<float> r2 = ReadRow<T>(source, rowBytes, 2, rows, columns);
        Vector512<float> r3 = ReadRow<T>(source, rowBytes, 3, rows, columns);
        Vector512<double> p00 = Avx512F.UnpackLow(r0, r1).AsDouble(), p01 = Avx512F.UnpackHigh(r0, r1).AsDouble();
        Vector512<double> p02 = Avx512F.UnpackLow(r2, r3).AsDouble(), p03 = Avx512F.UnpackHigh(r2, r3).AsDouble();
        Vector512<float> q00 = Avx512F.UnpackLow(p00, p02).AsSingle(), q01 = Avx512F.UnpackHigh(p00, p02).AsSingle();
        Vector512<float> q02 = Avx512F.UnpackLow(p01, p03).AsSingle(), q03 = Avx512F.UnpackHigh(p01, p03).AsSingle();
        Vector512<float> r4 = ReadRow<T>(source, rowBytes, 4, rows, columns);
        Vector512<float> r5 = ReadRow<T>(source, rowBytes, 5, rows, columns);
        Vector512<float> r6 = ReadRow<T>(source, rowBytes, 6, rows, columns);
        Vector512<float> r7 = ReadRow<T>(source, rowBytes, 7, rows, columns);
        Vector512<double> p10 = Avx512F.UnpackLow(r4, r5).AsDouble(), p11 = Avx512F.UnpackHigh(r4, r5).AsDouble();
        Vector512<double> p12 = Avx512F.UnpackLow(r6, r7).AsDouble(), p13 = Avx512F.UnpackHigh(r6, r7).AsDouble();
        Vector512<float> q10 = Avx512F.UnpackLow(p10, p12).AsSingle(), q11 = Avx512F.UnpackHigh(p10, p12).AsSingle();
        Vector512<float> q12 = Avx512F.UnpackLow(p11, p13).AsSingle(), q13 = Avx512F.UnpackHigh(p11, p13).AsSingle();
        Vector512<float> r8 = ReadRow<T>(source, rowBytes, 8, rows, columns);
        Vector512<float> r9 = ReadRow<T>(source, rowBytes, 9, rows, columns);
        Vector512<float> r10 = ReadRow<T>(source, rowBytes, 10, rows, columns);
        Vector512<float> r11 = ReadRow<T>(source, rowBytes, 11, rows, columns);
        Vector512<double> p20 = Avx512F.UnpackLow(r8, r9).AsDouble(), p21 = Avx512F.UnpackHigh(r8, r9).AsDouble();
        Vector512<double> p22 = Avx512F.UnpackLow(r10, r11).AsDouble(), p23 = Avx512F.UnpackHigh(r10, r11).AsDouble();
        Vector512<float> q20 = Avx512F.UnpackLow(p20, p22).AsSingle(), q21 = Avx512F.UnpackHigh(p20, p22).AsSingle();
        Vector512<float> q22 = Avx512F.UnpackLow(p21, p23).AsSingle(), q23 = Avx512F.UnpackHigh(p21, p23).AsSingle();
        Vector512<float> r12 = ReadRow<T>(source, rowBytes, 12, rows, columns);
        Vector512<float> r13 = ReadRow<T>(source, rowBytes, 13, rows, columns);
        Vector512<float> r14 = ReadRow<T>(source, rowBytes, 14, rows, columns);
        Vector512<float> r15 = ReadRow<T>(source, rowBytes, 15, rows, columns);
        Vector512<double> p30 = Avx512F.UnpackLow(r12, r13).AsDouble(), p31 = Avx512F.UnpackHigh(r12, r13).AsDouble();
        Vector512<double> p32 = Avx512F.UnpackLow(r14, r15).AsDouble(), p33 = Avx512F.UnpackHigh(r14, r15).AsDouble();
        Vector512<float> q30 = Avx512F.UnpackLow(p30, p32).AsSingle(), q31 = Avx512F.UnpackHigh(p30, p32).AsSingle();
        Vector512<float> q32 = Avx512F.UnpackLow(p31, p33).AsSingle(), q33 = Avx512F.UnpackHigh(p31, p33).AsSingle();
        StoreColumns(q00, q10, q20, q30, destination, stride, scale);
        StoreColumns(q01, q11, q21, q31, destination + 1 * stride, stride, scale);
        StoreColumns(q02, q12, q22, q32, destination + 2 * stride, stride, scale);
        StoreColumns(q03, q13, q23, q33, destination + 3 * stride, stride, scale);
    }

    /// <summary>Stores columns 0, 4, 8 and 12 of what the quads hold in each 128-bit lane.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StoreColumns(Vector512<float> q0, Vector512<float> q1, Vector512<float> q2, Vector512<float> q3, float* destination, nint stride, float scale)
    {
        if (scale != 1)
        {
            q0 *= scale;
            q1 *= scale;
            q2 *= scale;
            q3 *= scale;
        }

        Vector512<float> even0 = Avx512F.Shuffle4x128(q0, q1, 0x88), even1 = Avx512F.Shuffle4x128(q2, q3, 0x88);
        Vector512<float> odd0 = Avx512F.Shuffle4x128(q0, q1, 0xDD), odd1 = Avx512F.Shuffle4x128(q2, q3, 0xDD);
        Avx512F.Shuffle4x128(even0, even1, 0x88).Store(destination);
        Avx512F.Shuffle4x128(odd0, odd1, 0x88).Store(destination + 4 * stride);
        Avx512F.Shuffle4x128(even0, even1, 0xDD).Store(destination + 8 * stride);
        Avx512F.Shuffle4x128(odd0, odd1, 0xDD).Store(destination + 12 * stride);
    }
}
