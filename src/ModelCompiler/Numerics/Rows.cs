using System.Numerics;

namespace ModelCompiler.Numerics;

/// <summary>Arithmetic on rows of doubles of the same length. Sums run in the lanes of a vector, on one thread.</summary>
internal static class Rows
{
    /// <summary>Rows of zeros.</summary>
    public static double[][] Zeros(int count, int length) => [.. Enumerable.Range(0, count).Select(_ => new double[length])];

    /// <summary>Σ x y.</summary>
    public static double Dot(ReadOnlySpan<double> x, ReadOnlySpan<double> y)
    {
        Vector<double> first = Vector<double>.Zero;
        Vector<double> second = Vector<double>.Zero;
        int lanes = Vector<double>.Count;
        int i = 0;
        for (; i <= x.Length - 2 * lanes; i += 2 * lanes)
        {
            first += new Vector<double>(x[i..]) * new Vector<double>(y[i..]);
            second += new Vector<double>(x[(i + lanes)..]) * new Vector<double>(y[(i + lanes)..]);
        }

        double sum = Vector.Sum(first + second);
        for (; i < x.Length; i++)
        {
            sum += x[i] * y[i];
        }

        return sum;
    }

    /// <summary>√Σ x².</summary>
    public static double Norm(ReadOnlySpan<double> x) => Math.Sqrt(Dot(x, x));

    /// <summary>x += factor · y.</summary>
    public static void Add(Span<double> x, double factor, ReadOnlySpan<double> y)
    {
        int lanes = Vector<double>.Count;
        var factors = new Vector<double>(factor);
        int i = 0;
        for (; i <= x.Length - lanes; i += lanes)
        {
            (new Vector<double>(x[i..]) + factors * new Vector<double>(y[i..])).CopyTo(x[i..]);
        }

        for (; i < x.Length; i++)
        {
            x[i] += factor * y[i];
        }
    }

    /// <summary>x, y = c x − s y, s x + c y.</summary>
    public static void Rotate(Span<double> x, Span<double> y, double c, double s)
    {
        int lanes = Vector<double>.Count;
        int i = 0;
        for (; i <= x.Length - lanes; i += lanes)
        {
            var u = new Vector<double>(x[i..]);
            var v = new Vector<double>(y[i..]);
            (c * u - s * v).CopyTo(x[i..]);
            (s * u + c * v).CopyTo(y[i..]);
        }

        for (; i < x.Length; i++)
        {
            (x[i], y[i]) = (c * x[i] - s * y[i], s * x[i] + c * y[i]);
        }
    }

    /// <summary>x *= factor.</summary>
    public static void Scale(Span<double> x, double factor)
    {
        foreach (ref double value in x)
        {
            value *= factor;
        }
    }

    /// <summary>Draws every element from the normal distribution.</summary>
    public static void FillNormal(Span<double> x, ref SplitMix random)
    {
        foreach (ref double value in x)
        {
            value = random.Normal();
        }
    }

    /// <summary>Combinations of rows: row i of the result is Σ_k factors[i][k] · rows[k].</summary>
    public static double[][] Combine(double[][] factors, double[][] rows)
    {
        double[][] result = Zeros(factors.Length, rows[0].Length);
        for (int i = 0; i < factors.Length; i++)
        {
            for (int k = 0; k < rows.Length; k++)
            {
                Add(result[i], factors[i][k], rows[k]);
            }
        }

        return result;
    }
}
