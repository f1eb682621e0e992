namespace ModelCompiler.Adapters;

/// <summary>Options of LoRA (Hu et al. 2021).</summary>
public sealed record LoraOptions : AdapterOptions
{
    /// <inheritdoc/>
    public override string Method => "LoRA";

    /// <summary>Whether s = alpha / sqrt(rank) (rsLoRA, Kalajdzievski 2023), not alpha / rank.</summary>
    public bool RankStabilized { get; init; }

    /// <summary>The start values.</summary>
    public LoraInitialization Initialization { get; init; }

    /// <summary>
    /// <see cref="LoraInitialization.Loftq"/>: how often weight and adapter are fitted to what the other leaves, from 1 (Li et al. 2023, T).
    /// </summary>
    public int Iterations { get; init; } = 1;

    /// <inheritdoc/>
    public override bool DividesByRoot => RankStabilized;

    /// <inheritdoc/>
    public override bool NeedsMoreToStart => Initialization != LoraInitialization.Kaiming;

    /// <inheritdoc/>
    public override bool NeedsMoreThanProducts => false;
}
