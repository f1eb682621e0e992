namespace ModelCompiler.Adapters;

/// <summary>Options of AdaLoRA (Zhang et al. 2023). The budget ends with <see cref="AdapterOptions.Rank"/> on average.</summary>
public sealed record AdaLoraOptions : AdapterOptions
{
    /// <inheritdoc/>
    public override string Method => "AdaLoRA";

    /// <summary>
    /// The rank that each adapter starts with: A is [r, in], E is [1, r], B is [out, r]; 0: 1.5 times the rank, as in the paper.
    /// </summary>
    public int InitialRank { get; init; }

    /// <summary>The part of the optimizer steps, from 0 on, before the budget begins to fall (the paper's t_i).</summary>
    public double Warmup { get; init; } = 0.1;

    /// <summary>The part of the optimizer steps after it has fallen, in which the kept directions are trained on (t_f).</summary>
    public double Final { get; init; } = 0.3;

    /// <summary>Optimizer steps from one allocation of the budget to the next (ΔT, in the paper 1 to 100).</summary>
    public int Interval { get; init; } = 10;

    /// <summary>
    /// Weight γ, beside the loss, of the mean of ‖A Aᵀ − I‖² and ‖Bᵀ B − I‖² over all adapters (the paper tries 0.1, 0.3 and 0.5);
    /// 0: none.
    /// </summary>
    public float Orthogonality { get; init; } = 0.1f;

    /// <summary>How slowly sensitivities follow, from 0 to below 1 (the paper's β₁).</summary>
    public float Beta1 { get; init; } = 0.85f;

    /// <summary>How slowly uncertainties follow, from 0 to below 1 (the paper's β₂).</summary>
    public float Beta2 { get; init; } = 0.85f;

    /// <inheritdoc/>
    public override string RankArgument => nameof(InitialRank);

    /// <inheritdoc/>
    public override int FirstRank(int maximum) => InitialRank > 0 ? InitialRank : Math.Min((3 * Rank + 1) / 2, maximum);

    /// <summary>The average rank that the budget ends with, in proportion to the rank that adapters start with.</summary>
    /// <param name="first">The rank that they start with.</param>
    /// <param name="declared">The one that is declared.</param>
    public int TargetRank(int first, int declared) => Math.Max(1, (int)Math.Round(first * (double)Rank / declared));

    /// <inheritdoc/>
    public override AdapterOptions WithRank(int rank, int maximum) =>
        this with { InitialRank = rank, Rank = TargetRank(rank, FirstRank(maximum)) };

    /// <inheritdoc/>
    public override string StreamOf(string parameter) => $"lora_{parameter}";
}
