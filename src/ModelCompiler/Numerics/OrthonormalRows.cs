namespace ModelCompiler.Numerics;

/// <summary>
/// Gram and Schmidt's orthonormalization of rows, each projected until projecting takes no more than half of it away ("twice is enough",
/// Parlett 1998, section 6.9), so that the rows are orthonormal to rounding however dependent they were.
/// </summary>
internal static class OrthonormalRows
{
    /// <summary>What is left of a row, beside the row, when nothing but rounding is left of it.</summary>
    private const double Nothing = 1e-16;

    /// <summary>Makes rows orthonormal in place. A row that depends on those before it gives way to a random one, orthogonal to them.</summary>
    /// <param name="rows">As many rows as elements of each, or fewer.</param>
    /// <param name="random">Source of the random rows.</param>
    /// <returns>The lower triangle L with which the rows given are L times the rows returned; row i has i + 1 elements.</returns>
    public static double[][] Make(double[][] rows, ref SplitMix random)
    {
        var lower = new double[rows.Length][];
        for (int i = 0; i < rows.Length; i++)
        {
            lower[i] = new double[i + 1];
            double length = Rows.Norm(rows[i]);
            double left = Project(rows, i, lower[i], length);
            if (left > Nothing * length)
            {
                lower[i][i] = left;
            }
            else
            {
                left = Replace(rows, i, ref random);
            }

            Rows.Scale(rows[i], 1 / left);
        }

        return lower;
    }

    /// <summary>Puts a random row, orthogonal to those before it, in the place of one of which nothing is left.</summary>
    private static double Replace(double[][] rows, int i, ref SplitMix random)
    {
        // A draw may lie in the span of the rows before it only by chance of measure zero.
        Rows.FillNormal(rows[i], ref random);
        return Project(rows, i, new double[i], Rows.Norm(rows[i]));
    }

    /// <summary>Takes from row i its parts along the rows before it, and adds those to <paramref name="parts"/>; returns the length left.</summary>
    private static double Project(double[][] rows, int i, Span<double> parts, double length)
    {
        double before;
        double after = length;
        do
        {
            before = after;
            for (int j = 0; j < i; j++)
            {
                double part = Rows.Dot(rows[j], rows[i]);
                Rows.Add(rows[i], -part, rows[j]);
                parts[j] += part;
            }

            after = Rows.Norm(rows[i]);
        }
        while (after < before / 2 && after > Nothing * length);
        return after;
    }
}
