namespace ModelCompiler.Models;

/// <summary>The two matrices of one adapted projection: Δ = scale · B A. With magnitudes, DoRA, the rows of W + Δ are given those in the place of their norms.</summary>
/// <param name="Rank">r.</param>
/// <param name="Inputs">Width of the projection's input.</param>
/// <param name="Outputs">Width of its output.</param>
/// <param name="A">[r, inputs], row-major.</param>
/// <param name="B">[outputs, r], row-major.</param>
public sealed record LowRankFactors(int Rank, int Inputs, int Outputs, float[] A, float[] B)
{
    /// <summary>The magnitude of each output; null where it is not DoRA.</summary>
    public float[]? Magnitude { get; init; }
}
