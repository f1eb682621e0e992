using ModelCompiler.Numerics;

namespace ModelCompiler.Adapters;

/// <summary>The singular values of a weight, as far as ranks are chosen by them.</summary>
/// <param name="Energy">The sum of squares of all of them.</param>
/// <param name="Squares">The squares of the largest, descending.</param>
internal sealed record Spectrum(double Energy, double[] Squares)
{
    /// <summary>Finds the <paramref name="count"/> largest of a weight [rows, columns].</summary>
    public static Spectrum Of(float[] weight, int rows, int columns, int count) =>
        new(SingularValues.SquaredNorm(weight), SingularValues.LargestSquared(weight, rows, columns, count));

    /// <summary>The part of the energy that the <paramref name="count"/> largest hold, from 0 to 1; of a weight of zeros 1.</summary>
    public double Share(int count) => Energy == 0 ? 1 : Squares.Take(count).Sum() / Energy;
}
