namespace ModelCompiler.Numerics;

/// <summary>
/// The r largest singular values of a matrix [m, n] with their vectors, orthonormal to rounding. Signs are such that the element of greatest magnitude
/// of each left vector, the first of several, is positive.
/// </summary>
/// <param name="U">Left singular vectors, [m, r], row after row.</param>
/// <param name="Values">Singular values, descending.</param>
/// <param name="Vt">Right singular vectors, [r, n], row after row.</param>
internal sealed record SingularFactors(double[] U, double[] Values, double[] Vt)
{
    /// <summary>The first <paramref name="rank"/> vectors, with their signs made sure.</summary>
    /// <param name="left">Left singular vectors as rows.</param>
    /// <param name="values">Singular values, descending.</param>
    /// <param name="right">Right singular vectors as rows.</param>
    /// <param name="rank">How many.</param>
    public static SingularFactors Of(double[][] left, double[] values, double[][] right, int rank)
    {
        (int m, int n) = (left[0].Length, right[0].Length);
        var u = new double[m * rank];
        var vt = new double[rank * n];
        for (int k = 0; k < rank; k++)
        {
            double sign = Math.Sign(left[k].MaxBy(Math.Abs));
            for (int i = 0; i < m; i++)
            {
                u[i * rank + k] = sign * left[k][i];
            }

            right[k].CopyTo(vt, k * n);
            Rows.Scale(vt.AsSpan(k * n, n), sign);
        }

        return new(u, values[..rank], vt);
    }
}
