namespace ModelCompiler.Planning;

/// <summary>
/// Elements of memory that operations read and write, as a polynomial; what is updated counts twice. Values have a row each; parameters are
/// passed over once, whatever the rows. The rank is that of all adapters; where theirs differ, their mean.
/// </summary>
/// <param name="PerRow">Of values, per row of the region's leading dimension.</param>
/// <param name="PerRowAndRank">Of values, per row and unit of rank.</param>
/// <param name="Weights">Of parameters, and of their gradients, that no rank enlarges.</param>
/// <param name="PerRank">Of parameters and their gradients, per unit of rank.</param>
/// <param name="PerSquaredRank">Of parameters and their gradients, per unit of the rank's square.</param>
public readonly record struct Traffic(double PerRow, double PerRowAndRank, double Weights, double PerRank, double PerSquaredRank)
{
    /// <summary>The sum of two costs.</summary>
    public static Traffic operator +(Traffic a, Traffic b) => new(
        a.PerRow + b.PerRow, a.PerRowAndRank + b.PerRowAndRank, a.Weights + b.Weights, a.PerRank + b.PerRank, a.PerSquaredRank + b.PerSquaredRank);

    /// <summary>The cost of this many runs over the parameters.</summary>
    public static Traffic operator *(int times, Traffic a) => a with { Weights = times * a.Weights, PerRank = times * a.PerRank, PerSquaredRank = times * a.PerSquaredRank };

    /// <summary>Elements of values for this many rows at this rank.</summary>
    public double Values(int rows, double rank) => rows * (PerRow + PerRowAndRank * rank);

    /// <summary>Elements of the adapters' parameters at this rank.</summary>
    public double Adapters(double rank) => PerRank * rank + PerSquaredRank * rank * rank;
}
