using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace ModelCompiler.Benchmarks;

/// <summary>The multiply-add rate of registers alone: what no kernel can exceed.</summary>
internal static class FmaPeak
{
    private const int Chains = 20;
    private const int Iterations = 2_000_000;
    private static float sink;

    /// <summary>GFLOP/s of one short run on this thread.</summary>
    public static double Measure()
    {
        long start = Stopwatch.GetTimestamp();
        sink = Vector512.IsHardwareAccelerated ? Loop512(Iterations) : Vector256.IsHardwareAccelerated ? Loop256(Iterations) : Loop128(Iterations);
        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        int lanes = Vector512.IsHardwareAccelerated ? 16 : Vector256.IsHardwareAccelerated ? 8 : 4;
        int chains = Vector512.IsHardwareAccelerated ? Chains : 10;
        return 2.0 * lanes * chains * Iterations / seconds / 1e9;
    }

    /// <summary>GFLOP/s of one short run on two threads at once.</summary>
    public static double MeasureTwo()
    {
        double other = 0;
        using var barrier = new Barrier(2);
        var thread = new Thread(() =>
        {
            barrier.SignalAndWait();
            other = Measure();
        });
        thread.Start();
        barrier.SignalAndWait();
        double own = Measure();
        thread.Join();
        return own + other;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float Loop512(int iterations)
    {
        Vector512<float> x = Vector512.Create(0.999f), y = Vector512.Create(1e-3f);
        Vector512<float> c0 = y, c1 = y, c2 = y, c3 = y, c4 = y, c5 = y, c6 = y, c7 = y, c8 = y, c9 = y, c10 = y, c11 = y, c12 = y, c13 = y, c14 = y, c15 = y, c16 = y, c17 = y, c18 = y, c19 = y;
        for (; iterations > 0; iterations--)
        {
            c0 = Vector512.MultiplyAddEstimate(c0, x, y);
            c1 = Vector512.MultiplyAddEstimate(c1, x, y);
            c2 = Vector512.MultiplyAddEstimate(c2, x, y);
            c3 = Vector512.MultiplyAddEstimate(c3, x, y);
            c4 = Vector512.MultiplyAddEstimate(c4, x, y);
            c5 = Vector512.MultiplyAddEstimate(c5, x, y);
            c6 = Vector512.MultiplyAddEstimate(c6, x, y);
            c7 = Vector512.MultiplyAddEstimate(c7, x, y);
            c8 = Vector512.MultiplyAddEstimate(c8, x, y);
            c9 = Vector512.MultiplyAddEstimate(c9, x, y);
            c10 = Vector512.MultiplyAddEstimate(c10, x, y);
            c11 = Vector512.MultiplyAddEstimate(c11, x, y);
            c12 = Vector512.MultiplyAddEstimate(c12, x, y);
            c13 = Vector512.MultiplyAddEstimate(c13, x, y);
            c14 = Vector512.MultiplyAddEstimate(c14, x, y);
            c15 = Vector512.MultiplyAddEstimate(c15, x, y);
            c16 = Vector512.MultiplyAddEstimate(c16, x, y);
            c17 = Vector512.MultiplyAddEstimate(c17, x, y);
            c18 = Vector512.MultiplyAddEstimate(c18, x, y);
            c19 = Vector512.MultiplyAddEstimate(c19, x, y);
        }

        return Vector512.Sum(c0 + c1 + c2 + c3 + c4 + c5 + c6 + c7 + c8 + c9 + c10 + c11 + c12 + c13 + c14 + c15 + c16 + c17 + c18 + c19);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float Loop256(int iterations)
    {
        Vector256<float> x = Vector256.Create(0.999f), y = Vector256.Create(1e-3f);
        Vector256<float> c0 = y, c1 = y, c2 = y, c3 = y, c4 = y, c5 = y, c6 = y, c7 = y, c8 = y, c9 = y;
        for (; iterations > 0; iterations--)
        {
            c0 = Vector256.MultiplyAddEstimate(c0, x, y);
            c1 = Vector256.MultiplyAddEstimate(c1, x, y);
            c2 = Vector256.MultiplyAddEstimate(c2, x, y);
            c3 = Vector256.MultiplyAddEstimate(c3, x, y);
            c4 = Vector256.MultiplyAddEstimate(c4, x, y);
            c5 = Vector256.MultiplyAddEstimate(c5, x, y);
            c6 = Vector256.MultiplyAddEstimate(c6, x, y);
            c7 = Vector256.MultiplyAddEstimate(c7, x, y);
            c8 = Vector256.MultiplyAddEstimate(c8, x, y);
            c9 = Vector256.MultiplyAddEstimate(c9, x, y);
        }

        return Vector256.Sum(c0 + c1 + c2 + c3 + c4 + c5 + c6 + c7 + c8 + c9);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float Loop128(int iterations)
    {
        Vector128<float> x = Vector128.Create(0.999f), y = Vector128.Create(1e-3f);
        Vector128<float> c0 = y, c1 = y, c2 = y, c3 = y, c4 = y, c5 = y, c6 = y, c7 = y, c8 = y, c9 = y;
        for (; iterations > 0; iterations--)
        {
            c0 = Vector128.MultiplyAddEstimate(c0, x, y);
            c1 = Vector128.MultiplyAddEstimate(c1, x, y);
            c2 = Vector128.MultiplyAddEstimate(c2, x, y);
            c3 = Vector128.MultiplyAddEstimate(c3, x, y);
            c4 = Vector128.MultiplyAddEstimate(c4, x, y);
            c5 = Vector128.MultiplyAddEstimate(c5, x, y);
            c6 = Vector128.MultiplyAddEstimate(c6, x, y);
            c7 = Vector128.MultiplyAddEstimate(c7, x, y);
            c8 = Vector128.MultiplyAddEstimate(c8, x, y);
            c9 = Vector128.MultiplyAddEstimate(c9, x, y);
        }

        return Vector128.Sum(c0 + c1 + c2 + c3 + c4 + c5 + c6 + c7 + c8 + c9);
    }
}
