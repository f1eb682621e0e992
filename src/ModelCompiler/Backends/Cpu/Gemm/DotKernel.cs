using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace ModelCompiler.Backends.Cpu.Gemm;

/// <summary>
/// Sums of 3 rows with 8 rows, both contiguous along the sum: products with few columns or few rows, where panels of 32 columns would be
/// mostly empty or used once. 24 accumulators along the sum and one horizontal reduction.
/// </summary>
internal static unsafe class DotKernel
{
    /// <summary>Rows of x of a tile.</summary>
    public const int Tokens = 3;

    /// <summary>Rows of w of a tile.</summary>
    public const int Rows = 8;

    /// <summary>sums[8 t + r] += Σ_k x_t[k] · w_r[k], 24 values. The x may be the same row; all 8 rows of w are read.</summary>
    public static void Run(float* x0, float* x1, float* x2, float* w, nint stride, int count, float* sums)
    {
        int done = Vector512.IsHardwareAccelerated ? Sums512(x0, x1, x2, w, stride, count, sums) : Sums256(x0, x1, x2, w, stride, count, sums);
        for (int k = done; k < count; k++)
        {
            for (int r = 0; r < Rows; r++)
            {
                float value = w[r * stride + k];
                sums[r] += x0[k] * value;
                sums[Rows + r] += x1[k] * value;
                sums[2 * Rows + r] += x2[k] * value;
            }
        }
    }

    private static int Sums512(float* x0, float* x1, float* x2, float* w, nint stride, int count, float* sums)
    {
        Vector512<float> s00 = Vector512<float>.Zero, s01 = Vector512<float>.Zero, s02 = Vector512<float>.Zero, s03 = Vector512<float>.Zero, s04 = Vector512<float>.Zero, s05 = Vector512<float>.Zero, s06 = Vector512<float>.Zero, s07 = Vector512<float>.Zero;
        Vector512<float> s10 = Vector512<float>.Zero, s11 = Vector512<float>.Zero, s12 = Vector512<float>.Zero, s13 = Vector512<float>.Zero, s14 = Vector512<float>.Zero, s15 = Vector512<float>.Zero, s16 = Vector512<float>.Zero, s17 = Vector512<float>.Zero;
        Vector512<float> s20 = Vector512<float>.Zero, s21 = Vector512<float>.Zero, s22 = Vector512<float>.Zero, s23 = Vector512<float>.Zero, s24 = Vector512<float>.Zero, s25 = Vector512<float>.Zero, s26 = Vector512<float>.Zero, s27 = Vector512<float>.Zero;
        int k = 0;
        for (; k + 16 <= count; k += 16)
        {
            Vector512<float> a0 = Vector512.Load(x0 + k), a1 = Vector512.Load(x1 + k), a2 = Vector512.Load(x2 + k);
            float* b = w + k;
            Vector512<float> b0 = Vector512.Load(b);
            s00 = Avx512F.FusedMultiplyAdd(a0, b0, s00);
            s10 = Avx512F.FusedMultiplyAdd(a1, b0, s10);
            s20 = Avx512F.FusedMultiplyAdd(a2, b0, s20);
            Vector512<float> b1 = Vector512.Load(b + 1 * stride);
            s01 = Avx512F.FusedMultiplyAdd(a0, b1, s01);
            s11 = Avx512F.FusedMultiplyAdd(a1, b1, s11);
            s21 = Avx512F.FusedMultiplyAdd(a2, b1, s21);
            Vector512<float> b2 = Vector512.Load(b + 2 * stride);
            s02 = Avx512F.FusedMultiplyAdd(a0, b2, s02);
            s12 = Avx512F.FusedMultiplyAdd(a1, b2, s12);
            s22 = Avx512F.FusedMultiplyAdd(a2, b2, s22);
            Vector512<float> b3 = Vector512.Load(b + 3 * stride);
            s03 = Avx512F.FusedMultiplyAdd(a0, b3, s03);
            s13 = Avx512F.FusedMultiplyAdd(a1, b3, s13);
            s23 = Avx512F.FusedMultiplyAdd(a2, b3, s23);
            Vector512<float> b4 = Vector512.Load(b + 4 * stride);
            s04 = Avx512F.FusedMultiplyAdd(a0, b4, s04);
            s14 = Avx512F.FusedMultiplyAdd(a1, b4, s14);
            s24 = Avx512F.FusedMultiplyAdd(a2, b4, s24);
            Vector512<float> b5 = Vector512.Load(b + 5 * stride);
            s05 = Avx512F.FusedMultiplyAdd(a0, b5, s05);
            s15 = Avx512F.FusedMultiplyAdd(a1, b5, s15);
            s25 = Avx512F.FusedMultiplyAdd(a2, b5, s25);
            Vector512<float> b6 = Vector512.Load(b + 6 * stride);
            s06 = Avx512F.FusedMultiplyAdd(a0, b6, s06);
            s16 = Avx512F.FusedMultiplyAdd(a1, b6, s16);
            s26 = Avx512F.FusedMultiplyAdd(a2, b6, s26);
            Vector512<float> b7 = Vector512.Load(b + 7 * stride);
            s07 = Avx512F.FusedMultiplyAdd(a0, b7, s07);
            s17 = Avx512F.FusedMultiplyAdd(a1, b7, s17);
            s27 = Avx512F.FusedMultiplyAdd(a2, b7, s27);
        }

        Add(sums + 0, Fold(s00), Fold(s01), Fold(s02), Fold(s03), Fold(s04), Fold(s05), Fold(s06), Fold(s07));
        Add(sums + 8, Fold(s10), Fold(s11), Fold(s12), Fold(s13), Fold(s14), Fold(s15), Fold(s16), Fold(s17));
        Add(sums + 16, Fold(s20), Fold(s21), Fold(s22), Fold(s23), Fold(s24), Fold(s25), Fold(s26), Fold(s27));
        return k;
    }

    /// <summary>Vectors of 8, which the compiler splits in two on machines with vectors of 4.</summary>
    private static int Sums256(float* x0, float* x1, float* x2, float* w, nint stride, int count, float* sums)
    {
        int k = 0;
        for (int half = 0; half < Rows; half += 4)
        {
            Vector256<float> s00 = Vector256<float>.Zero, s01 = Vector256<float>.Zero, s02 = Vector256<float>.Zero, s03 = Vector256<float>.Zero;
            Vector256<float> s10 = Vector256<float>.Zero, s11 = Vector256<float>.Zero, s12 = Vector256<float>.Zero, s13 = Vector256<float>.Zero;
            Vector256<float> s20 = Vector256<float>.Zero, s21 = Vector256<float>.Zero, s22 = Vector256<float>.Zero, s23 = Vector256<float>.Zero;
            float* b = w + half * stride;
            for (k = 0; k + 8 <= count; k += 8, b += 8)
            {
                Vector256<float> a0 = Vector256.Load(x0 + k), a1 = Vector256.Load(x1 + k), a2 = Vector256.Load(x2 + k);
                Vector256<float> b0 = Vector256.Load(b);
                s00 = Vector256.MultiplyAddEstimate(a0, b0, s00);
                s10 = Vector256.MultiplyAddEstimate(a1, b0, s10);
                s20 = Vector256.MultiplyAddEstimate(a2, b0, s20);
                Vector256<float> b1 = Vector256.Load(b + 1 * stride);
                s01 = Vector256.MultiplyAddEstimate(a0, b1, s01);
                s11 = Vector256.MultiplyAddEstimate(a1, b1, s11);
                s21 = Vector256.MultiplyAddEstimate(a2, b1, s21);
                Vector256<float> b2 = Vector256.Load(b + 2 * stride);
                s02 = Vector256.MultiplyAddEstimate(a0, b2, s02);
                s12 = Vector256.MultiplyAddEstimate(a1, b2, s12);
                s22 = Vector256.MultiplyAddEstimate(a2, b2, s22);
                Vector256<float> b3 = Vector256.Load(b + 3 * stride);
                s03 = Vector256.MultiplyAddEstimate(a0, b3, s03);
                s13 = Vector256.MultiplyAddEstimate(a1, b3, s13);
                s23 = Vector256.MultiplyAddEstimate(a2, b3, s23);
            }

            sums[half] += Vector256.Sum(s00);
            sums[1 + half] += Vector256.Sum(s01);
            sums[2 + half] += Vector256.Sum(s02);
            sums[3 + half] += Vector256.Sum(s03);
            sums[8 + half] += Vector256.Sum(s10);
            sums[9 + half] += Vector256.Sum(s11);
            sums[10 + half] += Vector256.Sum(s12);
            sums[11 + half] += Vector256.Sum(s13);
            sums[16 + half] += Vector256.Sum(s20);
            sums[17 + half] += Vector256.Sum(s21);
            sums[18 + half] += Vector256.Sum(s22);
            sums[19 + half] += Vector256.Sum(s23);
        }

        return k;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Fold(Vector512<float> sum) => sum.GetLower() + sum.GetUpper();

    /// <summary>sums[r] += the sum of s_r.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Add(
        float* sums, Vector256<float> s0, Vector256<float> s1, Vector256<float> s2, Vector256<float> s3, Vector256<float> s4, Vector256<float> s5, Vector256<float> s6, Vector256<float> s7)
    {
        Vector256<float> first = Avx.HorizontalAdd(Avx.HorizontalAdd(s0, s1), Avx.HorizontalAdd(s2, s3));
        Vector256<float> second = Avx.HorizontalAdd(Avx.HorizontalAdd(s4, s5), Avx.HorizontalAdd(s6, s7));
        (Vector128.Load(sums) + first.GetLower() + first.GetUpper()).Store(sums);
        (Vector128.Load(sums + 4) + second.GetLower() + second.GetUpper()).Store(sums + 4);
    }
}
