namespace ModelCompiler.Planning;

/// <summary>Floating-point operations as a polynomial. The rank is that of all adapters; where theirs differ, their mean.</summary>
/// <param name="PerRow">Per row of the region's leading dimension.</param>
/// <param name="PerRowAndPosition">Per row and token of the sequence (attention; the causal half counted as half).</param>
/// <param name="PerRowAndRank">Per row and unit of rank.</param>
/// <param name="PerRowAndSquaredRank">Per row and unit of the rank's square.</param>
public readonly record struct Flops(double PerRow, double PerRowAndPosition, double PerRowAndRank = 0, double PerRowAndSquaredRank = 0)
{
    /// <summary>The sum of two costs.</summary>
    public static Flops operator +(Flops a, Flops b) => new(
        a.PerRow + b.PerRow,
        a.PerRowAndPosition + b.PerRowAndPosition,
        a.PerRowAndRank + b.PerRowAndRank,
        a.PerRowAndSquaredRank + b.PerRowAndSquaredRank);

    /// <summary>The number for this many rows at this sequence length and rank.</summary>
    public double Evaluate(int rows, int sequence, double rank) =>
        rows * (PerRow + PerRowAndPosition * sequence + PerRowAndRank * rank + PerRowAndSquaredRank * rank * rank);
}
