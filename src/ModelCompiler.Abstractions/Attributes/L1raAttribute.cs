namespace ModelCompiler;

/// <summary>How the gates of L1RA are driven to zero.</summary>
public enum L1raMode
{
    /// <summary>
    /// A proximal step of the L1 norm after Adam's: c = max(c − rate · λ, 0). Gates that nothing holds up reach 0 and are pruned at or below
    /// 10⁻⁶.
    /// </summary>
    Proximal,

    /// <summary>
    /// The optimizer of the published code, which leaves gates within rate · λ of 0 where they are; gates below 10⁻¹⁰ are pruned, so that one that
    /// rests in that zone never is. The code's later branch raised the threshold: <see cref="L1raAttribute.PruneThreshold"/>.
    /// </summary>
    AdamE,
}

/// <summary>What happens to the optimizer's moments when ranks move.</summary>
public enum OptimizerOnReassign
{
    /// <summary>All moments of all L1RA adapters start again from 0, with their bias correction: what the published code does.</summary>
    Restart,

    /// <summary>Directions keep their moments where they go; new ones start from 0, each with a bias correction of its own.</summary>
    Splice,
}

/// <summary>
/// L1RA adapters (Singh et al. 2025): y = W x + s · B (c ∘ A dropout(x)) with a gate in [0, 1] per direction and s = alpha / rank. An L1 term drives
/// gates to 0; directions whose gate arrives there are pruned, and their ranks go to the adapters whose gates are all in use. The sum of the ranks
/// never exceeds what it was at the start, and a move never changes what the model computes.
/// </summary>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = true)]
public sealed class L1raAttribute : AdapterAttribute
{
    /// <summary>Rank r that every adapter starts with: A is [r, in], c is [r], B is [out, r].</summary>
    public int Rank { get; set; } = 8;

    /// <summary>The most that an adapter grows to, cut to what its weight can use; 0: twice the rank.</summary>
    public int MaximumRank { get; set; }

    /// <summary>Numerator of the scale s, which stays alpha / <see cref="Rank"/> whatever the rank becomes; 0: equal to the rank, so s = 1.</summary>
    public float Alpha { get; set; }

    /// <summary>Probability with which an element of the adapter's input is dropped in training.</summary>
    public float Dropout { get; set; }

    /// <summary>How gates are driven to 0.</summary>
    public L1raMode Mode { get; set; } = L1raMode.Proximal;

    /// <summary>Learning rate of the gates, the same in every step.</summary>
    public double GateRate { get; set; } = 2e-2;

    /// <summary>Weight λ of the gates' L1 term: each step takes <see cref="GateRate"/> · λ from a gate.</summary>
    public double Lambda { get; set; } = 1e-3;

    /// <summary>Gates at or below (<see cref="L1raMode.Proximal"/>) or below this are pruned; 0: 10⁻⁶, or 10⁻¹⁰ with <see cref="L1raMode.AdamE"/>.</summary>
    public double PruneThreshold { get; set; }

    /// <summary>The part of the run's steps between two looks at the gates.</summary>
    public double UpdateRatio { get; set; } = 0.1;

    /// <summary>Whether pruned ranks go to other adapters. Not in the last <see cref="UpdateRatio"/> of a run: they would hardly train.</summary>
    public bool Reassign { get; set; } = true;

    /// <summary>Whether an adapter that was just pruned gets no rank back at once.</summary>
    public bool ExcludePruned { get; set; } = true;

    /// <summary>What happens to moments when ranks move.</summary>
    public OptimizerOnReassign OptimizerOnReassign { get; set; } = OptimizerOnReassign.Restart;
}
