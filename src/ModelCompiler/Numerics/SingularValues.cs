namespace ModelCompiler.Numerics;

/// <summary>
/// The largest singular values of a matrix with their vectors: M ≈ U · diag(S) · Vᵀ, the best approximation of its rank. Arithmetic is in
/// double; the result depends on the matrix and the rank alone, not on threads.
/// </summary>
/// <remarks>
/// A side of 128 or less, or a rank near it, is decomposed exactly (<see cref="RowDecomposition"/>). Else by randomized subspace iteration with
/// l = 1.5 r vectors, at least r + 16 (Halko, Martinsson and Tropp 2011, algorithm 4.4), until the r values settle, 16 times at most. An
/// iteration multiplies 2 m n l times, with m = n = 4096 and r = 64 3.2·10⁹ times; a random matrix of that size, whose values never settle, took
/// 5 s of processor time, most of it on all cores, and one of 512 x 512 decomposed exactly 1 s. Beside the matrix the method holds 3 l (m + n) doubles at most. Of values that
/// have not settled after the last iteration the vectors are orthonormal all the same, and the approximation is nearly the best of its rank.
/// </remarks>
internal static class SingularValues
{
    private const int ExactSide = 128;
    private const int LeastOversampling = 16;
    private const int MostIterations = 16;

    /// <summary>A value has settled when an iteration changes it by less than this part; its vectors are then good to about the root of it.</summary>
    private const double Settled = 1e-12;

    /// <summary>Beside the largest value, those below this are rounding.</summary>
    private const double Rounding = 1e-14;

    /// <summary>The <paramref name="rank"/> largest singular values and their vectors.</summary>
    /// <param name="matrix">The matrix M, [rows, columns], row after row.</param>
    /// <param name="rows">Rows.</param>
    /// <param name="columns">Columns.</param>
    /// <param name="rank">How many, from 1 to the shorter side.</param>
    /// <exception cref="ArgumentException">The matrix has another size, the rank is out of range, or an element is not finite.</exception>
    public static SingularFactors Largest(ReadOnlyMemory<float> matrix, int rows, int columns, int rank)
    {
        Check(matrix.Span, rows, columns, rank);
        var random = new SplitMix(0, nameof(SingularValues));
        int side = Math.Min(rows, columns);
        int vectors = (rank + Math.Max(rank / 2, LeastOversampling) + WideProduct.RowsAtOnce - 1) / WideProduct.RowsAtOnce * WideProduct.RowsAtOnce;
        return side <= ExactSide || vectors >= side
            ? Exact(matrix.Span, rows, columns, rank, ref random)
            : Iterated(matrix, rows, columns, rank, vectors, ref random);
    }

    /// <summary>The squares of the <paramref name="count"/> largest singular values, descending; divided by <see cref="SquaredNorm"/>, their shares of the matrix.</summary>
    /// <param name="matrix">The matrix, [rows, columns], row after row.</param>
    /// <param name="rows">Rows.</param>
    /// <param name="columns">Columns.</param>
    /// <param name="count">How many, from 1 to the shorter side.</param>
    /// <exception cref="ArgumentException">The matrix has another size, the count is out of range, or an element is not finite.</exception>
    public static double[] LargestSquared(ReadOnlyMemory<float> matrix, int rows, int columns, int count) =>
        [.. Largest(matrix, rows, columns, count).Values.Select(s => s * s)];

    /// <summary>The sum of squares of a matrix's elements, which is that of all its singular values.</summary>
    public static double SquaredNorm(ReadOnlySpan<float> matrix)
    {
        double sum = 0;
        foreach (float value in matrix)
        {
            sum += (double)value * value;
        }

        return sum;
    }

    private static void Check(ReadOnlySpan<float> matrix, int rows, int columns, int rank)
    {
        if (rows < 1 || columns < 1 || matrix.Length != (long)rows * columns)
        {
            throw new ArgumentException($"{matrix.Length} elements for a matrix [{rows}, {columns}].", nameof(matrix));
        }

        if (rank < 1 || rank > Math.Min(rows, columns))
        {
            throw new ArgumentOutOfRangeException(nameof(rank), rank, $"a matrix [{rows}, {columns}] has singular values 1 to {Math.Min(rows, columns)}.");
        }

        for (int i = 0; i < matrix.Length; i++)
        {
            if (!float.IsFinite(matrix[i]))
            {
                throw new ArgumentException($"element [{i / columns}, {i % columns}] is {matrix[i]}: such a matrix has no singular values.", nameof(matrix));
            }
        }
    }

    private static SingularFactors Exact(ReadOnlySpan<float> matrix, int rows, int columns, int rank, ref SplitMix random)
    {
        bool wide = rows <= columns;
        double[][] vectors = Rows.Zeros(Math.Min(rows, columns), Math.Max(rows, columns));
        for (int i = 0; i < matrix.Length; i++)
        {
            (int row, int column) = Math.DivRem(i, columns);
            vectors[wide ? row : column][wide ? column : row] = matrix[i];
        }

        RowDecomposition exact = RowDecomposition.Of(vectors, ref random);
        return wide
            ? SingularFactors.Of(exact.Left, exact.Values, exact.Right, rank)
            : SingularFactors.Of(exact.Right, exact.Values, exact.Left, rank);
    }

    private static SingularFactors Iterated(ReadOnlyMemory<float> matrix, int rows, int columns, int rank, int vectors, ref SplitMix random)
    {
        double[][] right = Rows.Zeros(vectors, columns);
        foreach (double[] row in right)
        {
            Rows.FillNormal(row, ref random);
        }

        double[] before = new double[rank];
        for (int iteration = 1; ; iteration++)
        {
            // With Q an orthonormal basis of M's product with the last vectors, Mᵀ Q decomposed exactly decomposes Q Qᵀ M ≈ M.
            double[][] basis = WideProduct.Of(matrix, columns, transposed: false, right);
            OrthonormalRows.Make(basis, ref random);
            RowDecomposition inner = RowDecomposition.Of(WideProduct.Of(matrix, columns, transposed: true, basis), ref random);
            if (iteration == MostIterations || HasSettled(before, inner.Values))
            {
                return SingularFactors.Of(Rows.Combine(inner.Left[..rank], basis), inner.Values, inner.Right, rank);
            }

            inner.Values.AsSpan(0, rank).CopyTo(before);
            right = inner.Right;
        }
    }

    private static bool HasSettled(double[] before, double[] now)
    {
        double rounding = Rounding * now[0];
        return before.Select((value, i) => Math.Abs(now[i] - value) <= Settled * now[i] + rounding).All(settled => settled);
    }
}
