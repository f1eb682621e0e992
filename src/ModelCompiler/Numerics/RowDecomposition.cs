namespace ModelCompiler.Numerics;

/// <summary>
/// The exact singular value decomposition of rows [k, w], k ≤ w: rows = Leftᵀ · diag(Values) · Right. The rows are made orthonormal first, so that
/// Jacobi's rotations work on a triangle [k, k] (Drmač and Veselić 2008, section 3). About 8 sweeps of 5 k³ multiplications, one thread.
/// </summary>
/// <param name="Left">Left singular vectors as rows, [k, k].</param>
/// <param name="Values">Singular values, descending.</param>
/// <param name="Right">Right singular vectors as rows, [k, w].</param>
internal sealed record RowDecomposition(double[][] Left, double[] Values, double[][] Right)
{
    /// <summary>Sweeps until rotations end; 6 to 10 are usual.</summary>
    private const int MostSweeps = 40;

    /// <summary>Decomposes rows.</summary>
    /// <param name="rows">As many rows as elements of each, or fewer; overwritten.</param>
    /// <param name="random">Source of singular vectors where singular values are zero.</param>
    public static RowDecomposition Of(double[][] rows, ref SplitMix random)
    {
        double[][] lower = OrthonormalRows.Make(rows, ref random);
        double[][] columns = Rows.Zeros(rows.Length, rows.Length);
        double[][] rotations = Rows.Zeros(rows.Length, rows.Length);
        for (int i = 0; i < rows.Length; i++)
        {
            rotations[i][i] = 1;
            for (int j = 0; j <= i; j++)
            {
                columns[j][i] = lower[i][j];
            }
        }

        Orthogonalize(columns, rotations);
        double[] norms = [.. columns.Select(column => Rows.Norm(column))];
        int[] order = [.. Enumerable.Range(0, norms.Length).OrderByDescending(i => norms[i])];

        // Rotated columns are orthogonal; here they become orthonormal, and those of zeros orthonormal to the others.
        double[][] left = [.. order.Select(i => columns[i])];
        OrthonormalRows.Make(left, ref random);
        return new(left, [.. order.Select(i => norms[i])], Rows.Combine([.. order.Select(i => rotations[i])], rows));
    }

    /// <summary>
    /// One-sided Jacobi (Hestenes 1958): rotates pairs of rows until each is orthogonal to all others, to rounding beside their own lengths, so that small
    /// singular values are as exact as large ones. The same rotations go to <paramref name="rotations"/>.
    /// </summary>
    private static void Orthogonalize(double[][] rows, double[][] rotations)
    {
        double tolerance = Math.Sqrt(rows.Length) * 2.2e-16;
        bool rotated = true;
        for (int sweep = 0; rotated && sweep < MostSweeps; sweep++)
        {
            rotated = false;
            for (int i = 0; i < rows.Length; i++)
            {
                for (int j = i + 1; j < rows.Length; j++)
                {
                    double x = Rows.Dot(rows[i], rows[i]);
                    double y = Rows.Dot(rows[j], rows[j]);
                    double both = Rows.Dot(rows[i], rows[j]);
                    if (Math.Abs(both) > tolerance * Math.Sqrt(x * y))
                    {
                        // The smaller of the two angles that make the pair orthogonal (Golub and Van Loan, section 8.5.2).
                        double zeta = (y - x) / (2 * both);
                        double tangent = Math.CopySign(1, zeta) / (Math.Abs(zeta) + Math.Sqrt(1 + zeta * zeta));
                        double cosine = 1 / Math.Sqrt(1 + tangent * tangent);
                        Rows.Rotate(rows[i], rows[j], cosine, cosine * tangent);
                        Rows.Rotate(rotations[i], rotations[j], cosine, cosine * tangent);
                        rotated = true;
                    }
                }
            }
        }
    }
}
