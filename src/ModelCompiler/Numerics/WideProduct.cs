using System.Numerics;
using System.Runtime.InteropServices;

namespace ModelCompiler.Numerics;

/// <summary>
/// Products of a matrix of floats with a few rows of doubles, in double. Every element is one sum in ascending order, on one thread, so that the
/// number of threads changes no bit of it.
/// </summary>
internal static class WideProduct
{
    /// <summary>Rows taken together: the number of rows given must be a multiple.</summary>
    public const int RowsAtOnce = 4;

    private const int Outputs = 64;
    private const int Depth = 256;

    /// <summary>Each row of the result is the matrix times a row given: result[j][i] = Σ_k M[i, k] rows[j][k].</summary>
    /// <param name="matrix">Its elements, row after row.</param>
    /// <param name="columns">Its columns.</param>
    /// <param name="transposed">Whether M is the matrix's transpose.</param>
    /// <param name="rows">A multiple of <see cref="RowsAtOnce"/> of rows, each as long as M has columns.</param>
    public static double[][] Of(ReadOnlyMemory<float> matrix, int columns, bool transposed, double[][] rows)
    {
        int count = transposed ? columns : matrix.Length / columns;
        double[][] result = Rows.Zeros(rows.Length, count);
        Parallel.For(0, (count + Outputs - 1) / Outputs, block =>
        {
            int first = block * Outputs;
            Block(matrix.Span, columns, transposed, rows, result, first, Math.Min(Outputs, count - first));
        });
        return result;
    }

    private static void Block(ReadOnlySpan<float> matrix, int columns, bool transposed, double[][] rows, double[][] result, int first, int count)
    {
        int width = 2 * Vector<double>.Count;
        int panels = (count + width - 1) / width;
        var packed = new double[panels * width * Depth];
        for (int start = 0; start < rows[0].Length; start += Depth)
        {
            int depth = Math.Min(Depth, rows[0].Length - start);
            Pack(matrix, columns, transposed, packed, first, count, start, depth);
            for (int panel = 0; panel < panels; panel++)
            {
                int taken = Math.Min(width, count - panel * width);
                for (int row = 0; row < rows.Length; row += RowsAtOnce)
                {
                    Tile(packed.AsSpan(panel * width * Depth, width * depth), rows, row, start, result, first + panel * width, taken);
                }
            }
        }
    }

    /// <summary>
    /// Copies elements [first.., start..] of M to panels of as many outputs as two vectors hold, those of one k side by side. The matrix is read row
    /// after row either way: the rows' distance may be a power of two, which caches bear badly.
    /// </summary>
    private static void Pack(ReadOnlySpan<float> matrix, int columns, bool transposed, Span<double> packed, int first, int count, int start, int depth)
    {
        int width = 2 * Vector<double>.Count;
        for (int k = 0; transposed && k < depth; k++)
        {
            ReadOnlySpan<float> outputs = matrix.Slice((start + k) * columns + first, count);
            for (int i = 0; i < count; i += width)
            {
                ReadOnlySpan<float> from = outputs.Slice(i, Math.Min(width, count - i));
                Span<double> to = packed.Slice(i * Depth + k * width, from.Length);
                for (int lane = 0; lane < to.Length; lane++)
                {
                    to[lane] = from[lane];
                }
            }
        }

        for (int i = 0; !transposed && i < count; i++)
        {
            ReadOnlySpan<float> from = matrix.Slice((first + i) * columns + start, depth);
            Span<double> to = packed[(i / width * width * Depth + i % width)..];
            for (int k = 0; k < from.Length; k++)
            {
                to[k * width] = from[k];
            }
        }
    }

    /// <summary>Adds to two vectors of outputs of four rows the products with one panel.</summary>
    private static void Tile(ReadOnlySpan<double> panel, double[][] rows, int row, int start, double[][] result, int first, int count)
    {
        int lanes = Vector<double>.Count;
        int depth = panel.Length / (2 * lanes);
        ref double source = ref MemoryMarshal.GetReference(panel);
        ReadOnlySpan<double> r0 = rows[row].AsSpan(start, depth);
        ReadOnlySpan<double> r1 = rows[row + 1].AsSpan(start, depth);
        ReadOnlySpan<double> r2 = rows[row + 2].AsSpan(start, depth);
        ReadOnlySpan<double> r3 = rows[row + 3].AsSpan(start, depth);
        Vector<double> c00 = default, c01 = default, c10 = default, c11 = default, c20 = default, c21 = default, c30 = default, c31 = default;
        for (int k = 0; k < r0.Length; k++)
        {
            Vector<double> low = Vector.LoadUnsafe(ref source, (nuint)(2 * k * lanes));
            Vector<double> high = Vector.LoadUnsafe(ref source, (nuint)((2 * k + 1) * lanes));
            var x = new Vector<double>(r0[k]);
            c00 = Vector.MultiplyAddEstimate(low, x, c00);
            c01 = Vector.MultiplyAddEstimate(high, x, c01);
            x = new Vector<double>(r1[k]);
            c10 = Vector.MultiplyAddEstimate(low, x, c10);
            c11 = Vector.MultiplyAddEstimate(high, x, c11);
            x = new Vector<double>(r2[k]);
            c20 = Vector.MultiplyAddEstimate(low, x, c20);
            c21 = Vector.MultiplyAddEstimate(high, x, c21);
            x = new Vector<double>(r3[k]);
            c30 = Vector.MultiplyAddEstimate(low, x, c30);
            c31 = Vector.MultiplyAddEstimate(high, x, c31);
        }

        Add(result[row].AsSpan(first, count), c00, c01);
        Add(result[row + 1].AsSpan(first, count), c10, c11);
        Add(result[row + 2].AsSpan(first, count), c20, c21);
        Add(result[row + 3].AsSpan(first, count), c30, c31);
    }

    private static void Add(Span<double> outputs, Vector<double> low, Vector<double> high)
    {
        for (int i = 0; i < outputs.Length; i++)
        {
            outputs[i] += i < Vector<double>.Count ? low[i] : high[i - Vector<double>.Count];
        }
    }
}
