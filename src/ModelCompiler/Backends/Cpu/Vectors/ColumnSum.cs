using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace ModelCompiler.Backends.Cpu.Vectors;

/// <summary>A term to sum over the rows.</summary>
internal interface IRowTerm
{
    TLanes At<TLanes>(int row, int column)
        where TLanes : unmanaged, ILanes<TLanes>;
}

/// <summary>sum[column] += Σ over rows, in row order, in partial sums of 128 rows.</summary>
internal unsafe struct ColumnSum<TTerm> : IColumnKernel
    where TTerm : unmanaged, IRowTerm
{
    private const int RowsPerPart = 128;

    public TTerm Term;
    public float* Sum;
    public int Rows;

    public readonly void Range(int first, int end)
    {
        for (int row = 0; row < Rows; row += RowsPerPart)
        {
            Part(Term, Sum, row, Math.Min(row + RowsPerPart, Rows), first, end);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Part(TTerm term, float* sum, int row, int rows, int i, int end)
    {
        if (Vector512.IsHardwareAccelerated)
        {
            for (; i <= end - 4 * Lanes512.Count; i += 4 * Lanes512.Count)
            {
                Lanes512 s0 = default, s1 = default, s2 = default, s3 = default;
                for (int r = row; r < rows; r++)
                {
                    s0 += term.At<Lanes512>(r, i);
                    s1 += term.At<Lanes512>(r, i + Lanes512.Count);
                    s2 += term.At<Lanes512>(r, i + 2 * Lanes512.Count);
                    s3 += term.At<Lanes512>(r, i + 3 * Lanes512.Count);
                }

                (Lanes512.Load(sum + i) + s0).Store(sum + i);
                (Lanes512.Load(sum + i + Lanes512.Count) + s1).Store(sum + i + Lanes512.Count);
                (Lanes512.Load(sum + i + 2 * Lanes512.Count) + s2).Store(sum + i + 2 * Lanes512.Count);
                (Lanes512.Load(sum + i + 3 * Lanes512.Count) + s3).Store(sum + i + 3 * Lanes512.Count);
            }
        }

        if (Vector256.IsHardwareAccelerated)
        {
            for (; i <= end - 2 * Lanes256.Count; i += 2 * Lanes256.Count)
            {
                Lanes256 s0 = default, s1 = default;
                for (int r = row; r < rows; r++)
                {
                    s0 += term.At<Lanes256>(r, i);
                    s1 += term.At<Lanes256>(r, i + Lanes256.Count);
                }

                (Lanes256.Load(sum + i) + s0).Store(sum + i);
                (Lanes256.Load(sum + i + Lanes256.Count) + s1).Store(sum + i + Lanes256.Count);
            }
        }

        for (; i <= end - Lanes128.Count; i += Lanes128.Count)
        {
            Lanes128 s = default;
            for (int r = row; r < rows; r++)
            {
                s += term.At<Lanes128>(r, i);
            }

            (Lanes128.Load(sum + i) + s).Store(sum + i);
        }

        for (; i < end; i++)
        {
            Lane s = default;
            for (int r = row; r < rows; r++)
            {
                s += term.At<Lane>(r, i);
            }

            (Lane.Load(sum + i) + s).Store(sum + i);
        }
    }
}
