using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using ModelCompiler.Backends.Cpu.Vectors;

namespace ModelCompiler.Backends.Cpu;

/// <summary>
/// What attention does to one row of scores. A row has <c>count</c> visible keys; up to <c>padded</c>, a multiple of 16, what follows them is 0
/// afterwards, so that products over the row may run on. Hidden keys get the score −∞ and with it the probability 0, whatever they held.
/// </summary>
internal static unsafe class AttentionRows
{
    private const int Multiple = 16;

    /// <summary>row = e^(row − maximum); returns the maximum and the sum. Without a visible key the maximum is −∞ and the sum 0.</summary>
    public static (float Maximum, float Sum) Softmax(float* row, int count, int padded)
    {
        int end = EndOf(count);
        new Span<float>(row + end, padded - end).Clear();
        if (count <= 0)
        {
            return (float.NegativeInfinity, 0);
        }

        new Span<float>(row + count, end - count).Fill(float.NegativeInfinity);
        return Vector512.IsHardwareAccelerated ? Softmax<Lanes512>(row, end, Lanes512.Count)
            : Vector256.IsHardwareAccelerated ? Softmax<Lanes256>(row, end, Lanes256.Count)
            : Softmax<Lanes128>(row, end, Lanes128.Count);
    }

    /// <summary>
    /// The gradient of the scores from that of the probabilities: row = p = e^(row − logSumExp), dRow = scale · p · (dRow − mean).
    /// </summary>
    public static void Gradient(float* row, float* dRow, float logSumExp, float mean, float scale, int count, int padded)
    {
        count = Math.Max(count, 0);
        int end = EndOf(count);
        new Span<float>(row + end, padded - end).Clear();
        new Span<float>(dRow + end, padded - end).Clear();
        new Span<float>(row + count, end - count).Fill(float.NegativeInfinity);
        new Span<float>(dRow + count, end - count).Fill(mean);
        Columns.Each(new GradientPlace { Row = row, DRow = dRow, LogSumExp = logSumExp, Mean = mean, Scale = scale }, end);
    }

    /// <summary>Σ a · b.</summary>
    public static float Dot(float* a, float* b, int count) => Columns.Sum(new DotTerm { A = a, B = b }, count);

    /// <summary>y = scale · x + keep · y; y is not read where keep is 0.</summary>
    public static void Blend(float* x, float scale, float* y, float keep, int count)
    {
        if (keep == 0)
        {
            Columns.Each(new ScalePlace { X = x, Y = y, Scale = scale }, count);
        }
        else
        {
            Columns.Each(new BlendPlace { X = x, Y = y, Scale = scale, Keep = keep }, count);
        }
    }

    private static int EndOf(int count) => (Math.Max(count, 0) + Multiple - 1) / Multiple * Multiple;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static (float Maximum, float Sum) Softmax<T>(float* row, int end, int lanes)
        where T : unmanaged, ILanes<T>
    {
        float maximum = Columns.Max(row, end);
        T shift = T.Of(maximum);
        T sum = default;
        for (int j = 0; j < end; j += lanes)
        {
            T e = T.Exp(T.Load(row + j) - shift);
            sum += e;
            e.Store(row + j);
        }

        return (maximum, sum.Sum());
    }

    private struct GradientPlace : IColumnAction
    {
        public float* Row, DRow;
        public float LogSumExp, Mean, Scale;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public readonly void At<T>(int i)
            where T : unmanaged, ILanes<T>
        {
            T p = T.Exp(T.Load(Row + i) - T.Of(LogSumExp));
            p.Store(Row + i);
            (T.Of(Scale) * p * (T.Load(DRow + i) - T.Of(Mean))).Store(DRow + i);
        }
    }

    private struct DotTerm : IColumnTerm
    {
        public float* A, B;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public readonly T AddTo<T>(T sum, int i)
            where T : unmanaged, ILanes<T> => T.MultiplyAdd(T.Load(A + i), T.Load(B + i), sum);
    }

    private struct ScalePlace : IColumnAction
    {
        public float* X, Y;
        public float Scale;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public readonly void At<T>(int i)
            where T : unmanaged, ILanes<T> => (T.Load(X + i) * T.Of(Scale)).Store(Y + i);
    }

    private struct BlendPlace : IColumnAction
    {
        public float* X, Y;
        public float Scale, Keep;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public readonly void At<T>(int i)
            where T : unmanaged, ILanes<T> => T.MultiplyAdd(T.Load(X + i), T.Of(Scale), T.Load(Y + i) * T.Of(Keep)).Store(Y + i);
    }
}
