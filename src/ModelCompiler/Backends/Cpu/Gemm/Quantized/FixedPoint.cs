using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace ModelCompiler.Backends.Cpu.Gemm;

/// <summary>
/// Numbers of 16 bits for products with NF4 codes: x as multiples of a step that a run of it shares, the codebook as multiples of 1 /
/// <see cref="One"/>. A multiplication of such vectors makes and adds two products a 32-bit lane, and a table of them lies in one register.
/// </summary>
/// <remarks>
/// Rounding moves an x by at most 1 / 34,230 (2.9e-5) of the greatest magnitude in its run, a value of the codebook by at most 1.6e-5. For
/// a row of some thousand random values that is at most 3e-6 of Σ |w| |x|; rounding both to bfloat16, as bitsandbytes does, 2e-4.
/// </remarks>
internal static unsafe class FixedPoint
{
    /// <summary>What 1 is in <see cref="Codebook"/>: of the factors up to 2^14, that which leaves the least error in its values.</summary>
    public const int One = 15684;

    /// <summary>The greatest magnitude of an x in steps: the most of which 8 products with <see cref="One"/> never exceed 31 bits.</summary>
    public const int Most = int.MaxValue / (8 * One);

    /// <summary>NF4's codebook times <see cref="One"/>, rounded; twice, since a look-up among 32 values takes one bit more than a code has.</summary>
    public static ReadOnlySpan<short> Codebook =>
    [
        -15684, -10919, -8235, -6194, -4461, -2898, -1428, 0, 1248, 2524, 3860, 5300, 6912, 8824, 11339, 15684,
        -15684, -10919, -8235, -6194, -4461, -2898, -1428, 0, 1248, 2524, 3860, 5300, 6912, 8824, 11339, 15684,
    ];

    /// <summary>
    /// values[i] = x[i] / steps[i / run], rounded. The step of a run with an infinity or a NaN is NaN, and so is every sum it enters. Below 2e-34 the
    /// step is no longer finer than fp32's own. Needs AVX2, and a run that is a multiple of 16.
    /// </summary>
    public static void Encode(float* x, int count, int run, short* values, float* steps)
    {
        for (int first = 0; first < count; first += run)
        {
            float step = Step(x + first, run);
            Vector256<float> reciprocal = Vector256.Create(1 / step);
            for (int i = first; i < first + run; i += 16)
            {
                Vector256<int> low = Avx.ConvertToVector256Int32(Vector256.Load(x + i) * reciprocal);
                Vector256<int> high = Avx.ConvertToVector256Int32(Vector256.Load(x + i + 8) * reciprocal);
                Vector256.Narrow(low, high).Store(values + i);
            }

            steps[first / run] = step;
        }
    }

    private static float Step(float* x, int run)
    {
        // As integers, of which infinities and NaNs are the greatest.
        Vector256<int> magnitude = Vector256<int>.Zero;
        for (int i = 0; i < run; i += 8)
        {
            magnitude = Vector256.Max(magnitude, Vector256.Load((int*)(x + i)) & Vector256.Create(int.MaxValue));
        }

        Vector128<int> half = Vector128.Max(magnitude.GetLower(), magnitude.GetUpper());
        int greatest = Math.Max(Math.Max(half[0], half[1]), Math.Max(half[2], half[3]));
        float most = BitConverter.Int32BitsToSingle(greatest);

        // A normal number, so that its reciprocal is finite.
        return float.IsFinite(most) ? Math.Max(most / Most, 1.17549435e-38f) : float.NaN;
    }
}
