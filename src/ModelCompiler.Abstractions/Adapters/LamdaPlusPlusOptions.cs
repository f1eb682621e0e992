namespace ModelCompiler.Adapters;

/// <summary>Options of LaMDA++ (Azizi et al. 2024): LaMDA's, with ranks that are chosen from the base.</summary>
public sealed record LamdaPlusPlusOptions : LamdaOptions
{
    /// <inheritdoc/>
    public override string Method => "LaMDA++";

    /// <inheritdoc/>
    public override bool AdaptiveRanks => true;
}
