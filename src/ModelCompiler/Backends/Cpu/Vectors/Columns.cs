using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace ModelCompiler.Backends.Cpu.Vectors;

/// <summary>What happens at one place of a row, for as many columns as the lanes have.</summary>
internal interface IColumnAction
{
    void At<TLanes>(int column)
        where TLanes : unmanaged, ILanes<TLanes>;
}

/// <summary>A term to sum over the columns of a row.</summary>
internal interface IColumnTerm
{
    /// <summary>The sum with the term at this column added, so that a product can join it in one multiply-add.</summary>
    TLanes AddTo<TLanes>(TLanes sum, int column)
        where TLanes : unmanaged, ILanes<TLanes>;
}

/// <summary>
/// Loops over the columns of one row: the widest vectors the machine has, then narrower ones for what is left. Which width an element
/// meets depends on its column only, so a result does not depend on where a row lies or which thread takes it.
/// </summary>
internal static unsafe class Columns
{
    /// <summary>Runs the action over all columns.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Each<TAction>(TAction action, int columns)
        where TAction : unmanaged, IColumnAction
    {
        int i = 0;
        if (Vector512.IsHardwareAccelerated)
        {
            for (; i <= columns - Lanes512.Count; i += Lanes512.Count)
            {
                action.At<Lanes512>(i);
            }
        }

        if (Vector256.IsHardwareAccelerated)
        {
            for (; i <= columns - Lanes256.Count; i += Lanes256.Count)
            {
                action.At<Lanes256>(i);
            }
        }

        for (; i <= columns - Lanes128.Count; i += Lanes128.Count)
        {
            action.At<Lanes128>(i);
        }

        for (; i < columns; i++)
        {
            action.At<Lane>(i);
        }
    }

    /// <summary>The sum of the terms, in four interleaved vectors of partial sums.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static float Sum<TTerm>(TTerm term, int columns)
        where TTerm : unmanaged, IColumnTerm
    {
        int i = 0;
        float sum = 0;
        if (Vector512.IsHardwareAccelerated)
        {
            Lanes512 s0 = default, s1 = default, s2 = default, s3 = default;
            for (; i <= columns - 4 * Lanes512.Count; i += 4 * Lanes512.Count)
            {
                s0 = term.AddTo(s0, i);
                s1 = term.AddTo(s1, i + Lanes512.Count);
                s2 = term.AddTo(s2, i + 2 * Lanes512.Count);
                s3 = term.AddTo(s3, i + 3 * Lanes512.Count);
            }

            for (; i <= columns - Lanes512.Count; i += Lanes512.Count)
            {
                s0 = term.AddTo(s0, i);
            }

            sum += (s0 + s1 + (s2 + s3)).Sum();
            if (i == columns)
            {
                return sum;
            }
        }

        if (Vector256.IsHardwareAccelerated)
        {
            Lanes256 s0 = default, s1 = default, s2 = default, s3 = default;
            for (; i <= columns - 4 * Lanes256.Count; i += 4 * Lanes256.Count)
            {
                s0 = term.AddTo(s0, i);
                s1 = term.AddTo(s1, i + Lanes256.Count);
                s2 = term.AddTo(s2, i + 2 * Lanes256.Count);
                s3 = term.AddTo(s3, i + 3 * Lanes256.Count);
            }

            for (; i <= columns - Lanes256.Count; i += Lanes256.Count)
            {
                s0 = term.AddTo(s0, i);
            }

            sum += (s0 + s1 + (s2 + s3)).Sum();
            if (i == columns)
            {
                return sum;
            }
        }

        Lanes128 q0 = default, q1 = default;
        for (; i <= columns - 2 * Lanes128.Count; i += 2 * Lanes128.Count)
        {
            q0 = term.AddTo(q0, i);
            q1 = term.AddTo(q1, i + Lanes128.Count);
        }

        for (; i <= columns - Lanes128.Count; i += Lanes128.Count)
        {
            q0 = term.AddTo(q0, i);
        }

        sum += (q0 + q1).Sum();
        for (; i < columns; i++)
        {
            sum = term.AddTo(Lane.Of(sum), i).Sum();
        }

        return sum;
    }

    /// <summary>The greatest element.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static float Max(float* x, int columns)
    {
        int i = 0;
        float maximum = float.NegativeInfinity;
        if (Vector512.IsHardwareAccelerated && columns >= 2 * Lanes512.Count)
        {
            Lanes512 m0 = Lanes512.Load(x);
            Lanes512 m1 = Lanes512.Load(x + Lanes512.Count);
            for (i = 2 * Lanes512.Count; i <= columns - 2 * Lanes512.Count; i += 2 * Lanes512.Count)
            {
                m0 = Lanes512.Max(m0, Lanes512.Load(x + i));
                m1 = Lanes512.Max(m1, Lanes512.Load(x + i + Lanes512.Count));
            }

            maximum = Lanes512.Max(m0, m1).Max();
        }

        if (Vector256.IsHardwareAccelerated && columns - i >= Lanes256.Count)
        {
            Lanes256 m = Lanes256.Load(x + i);
            for (i += Lanes256.Count; i <= columns - Lanes256.Count; i += Lanes256.Count)
            {
                m = Lanes256.Max(m, Lanes256.Load(x + i));
            }

            maximum = Math.Max(maximum, m.Max());
        }

        if (columns - i >= Lanes128.Count)
        {
            Lanes128 m = Lanes128.Load(x + i);
            for (i += Lanes128.Count; i <= columns - Lanes128.Count; i += Lanes128.Count)
            {
                m = Lanes128.Max(m, Lanes128.Load(x + i));
            }

            maximum = Math.Max(maximum, m.Max());
        }

        for (; i < columns; i++)
        {
            maximum = Math.Max(maximum, x[i]);
        }

        return maximum;
    }
}
