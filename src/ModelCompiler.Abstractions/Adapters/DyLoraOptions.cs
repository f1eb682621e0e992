namespace ModelCompiler.Adapters;

/// <summary>Options of DyLoRA (Valipour et al. 2023).</summary>
public sealed record DyLoraOptions : AdapterOptions
{
    /// <inheritdoc/>
    public override string Method => "DyLoRA";

    /// <summary>
    /// Whether the scale is alpha / sqrt(b) (rsLoRA, Kalajdzievski 2023): the directions that low ranks and high ones share then differ
    /// less in what they add.
    /// </summary>
    public bool RankStabilized { get; init; }

    /// <summary>Which ranks steps draw from.</summary>
    public RankDraw Draw { get; init; } = RankDraw.Uniform;

    /// <summary>
    /// The share of the steps, from 0 to 1, that use the maximum rank R without drawing: p(b) = (1 − share) · <see cref="Draw"/>'s, and
    /// share more for R (the paper's p_B is any distribution over ranks). At 0 it is the published draw, at 1 plain LoRA of rank R.
    /// </summary>
    public double FullRankShare { get; init; }

    /// <summary>Whether a step of rank b trains the last of its b directions only, and those before it stay as they are.</summary>
    public bool LastOnly { get; init; }

    /// <inheritdoc/>
    public override bool NestedRanks => true;

    /// <inheritdoc/>
    public override bool DividesByRoot => RankStabilized;

    /// <inheritdoc/>
    public override bool NeedsMoreThanProducts => false;
}
