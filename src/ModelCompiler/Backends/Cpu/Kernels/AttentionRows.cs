using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace ModelCompiler.Backends.Cpu;

/// <summary>
/// What attention does to one row of scores. A row has <c>count</c> visible keys; up to <c>padded</c>, a multiple of 16, what follows them is 0
/// afterwards, so that products over the row may run on.
/// </summary>
internal static unsafe class AttentionRows
{
    /// <summary>row = e^(row − maximum); returns the maximum and the sum. Without a visible key the maximum is −∞ and the sum 0.</summary>
    public static (float Maximum, float Sum) Softmax(float* row, int count, int padded)
    {
        count = Math.Max(count, 0);
        int whole = count / 16 * 16;
        int end = (count + 15) / 16 * 16;
        Hide(row, end, padded);
        if (count == 0)
        {
            return (float.NegativeInfinity, 0);
        }

        Vector512<float> highest = Vector512.Create(float.NegativeInfinity), other = highest;
        if (whole < count)
        {
            highest = Visible(Vector512.Load(row + whole), count - whole, float.NegativeInfinity);
            highest.Store(row + whole);
        }

        int k = 0;
        for (; k + 32 <= whole; k += 32)
        {
            highest = Vector512.MaxNative(highest, Vector512.Load(row + k));
            other = Vector512.MaxNative(other, Vector512.Load(row + k + 16));
        }

        if (k < whole)
        {
            other = Vector512.MaxNative(other, Vector512.Load(row + k));
        }

        float maximum = Highest(Vector512.MaxNative(highest, other));
        Vector512<float> shift = Vector512.Create(maximum);
        Vector512<float> sum = Vector512<float>.Zero;
        for (int j = 0; j < end; j += 16)
        {
            Vector512<float> e = VectorMath.Exp(Vector512.Load(row + j) - shift);
            sum += e;
            e.Store(row + j);
        }

        return (maximum, Vector512.Sum(sum));
    }

    /// <summary>
    /// The gradient of the scores from that of the probabilities: row = p = e^(row − logSumExp), dRow = scale · p · (dRow − mean).
    /// </summary>
    public static void Gradient(float* row, float* dRow, float logSumExp, float mean, float scale, int count, int padded)
    {
        count = Math.Max(count, 0);
        Vector512<float> shift = Vector512.Create(logSumExp);
        Vector512<float> means = Vector512.Create(mean);
        Vector512<float> scales = Vector512.Create(scale);
        int whole = count / 16 * 16;
        for (int j = 0; j < whole; j += 16)
        {
            Vector512<float> p = VectorMath.Exp(Vector512.Load(row + j) - shift);
            p.Store(row + j);
            (scales * p * (Vector512.Load(dRow + j) - means)).Store(dRow + j);
        }

        if (whole < count)
        {
            // Hidden keys may have any score: selected away, since infinity times 0 is no 0.
            Vector512<float> p = Visible(VectorMath.Exp(Vector512.Load(row + whole) - shift), count - whole, 0);
            p.Store(row + whole);
            Visible(scales * p * (Vector512.Load(dRow + whole) - means), count - whole, 0).Store(dRow + whole);
            whole += 16;
        }

        Hide(row, whole, padded);
        Hide(dRow, whole, padded);
    }

    /// <summary>Σ a · b.</summary>
    public static float Dot(float* a, float* b, int count)
    {
        Vector512<float> sum = Vector512<float>.Zero;
        int i = 0;
        for (; i + 16 <= count; i += 16)
        {
            sum = Vector512.MultiplyAddEstimate(Vector512.Load(a + i), Vector512.Load(b + i), sum);
        }

        float total = Vector512.Sum(sum);
        for (; i < count; i++)
        {
            total += a[i] * b[i];
        }

        return total;
    }

    /// <summary>y = scale · x + keep · y; y is not read where keep is 0.</summary>
    public static void Blend(float* x, float scale, float* y, float keep, int count)
    {
        int i = 0;
        for (; i + 16 <= count; i += 16)
        {
            Vector512<float> value = Vector512.Load(x + i) * scale;
            (keep == 0 ? value : value + Vector512.Load(y + i) * keep).Store(y + i);
        }

        for (; i < count; i++)
        {
            y[i] = keep == 0 ? x[i] * scale : x[i] * scale + y[i] * keep;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Hide(float* row, int from, int padded)
    {
        for (int j = from; j < padded; j += 16)
        {
            Vector512<float>.Zero.Store(row + j);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Visible(Vector512<float> values, int count, float hidden) =>
        Vector512.ConditionalSelect(Vector512.LessThan(Vector512<int>.Indices, Vector512.Create(count)).AsSingle(), values, Vector512.Create(hidden));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float Highest(Vector512<float> values)
    {
        Vector256<float> eight = Vector256.MaxNative(values.GetLower(), values.GetUpper());
        Vector128<float> four = Vector128.MaxNative(eight.GetLower(), eight.GetUpper());
        return MathF.Max(MathF.Max(four[0], four[1]), MathF.Max(four[2], four[3]));
    }
}
