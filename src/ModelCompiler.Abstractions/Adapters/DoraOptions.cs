namespace ModelCompiler.Adapters;

/// <summary>Options of DoRA (Liu et al. 2024).</summary>
public sealed record DoraOptions : AdapterOptions
{
    /// <inheritdoc/>
    public override string Method => "DoRA";

    /// <inheritdoc cref="LoraOptions.RankStabilized"/>
    public bool RankStabilized { get; init; }

    /// <inheritdoc/>
    public override bool DividesByRoot => RankStabilized;
}
