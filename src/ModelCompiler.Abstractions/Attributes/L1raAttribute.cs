using ModelCompiler.Adapters;

namespace ModelCompiler;

/// <summary>
/// L1RA adapters (Singh et al. 2025): y = W x + s · B (c ∘ A dropout(x)) with a gate in [0, 1] per direction and s = alpha / rank. An L1 term drives
/// gates to 0; directions whose gate arrives there are pruned, and their ranks go to the adapters whose gates are all in use. The sum of the ranks
/// never exceeds what it was at the start, and a move never changes what the model computes.
/// </summary>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = true)]
public sealed class L1raAttribute : AdapterAttribute
{
    private static readonly L1raOptions s_defaults = new();

    /// <summary>Rank r that every adapter starts with: A is [r, in], c is [r], B is [out, r].</summary>
    public int Rank { get; set; } = s_defaults.Rank;

    /// <inheritdoc cref="L1raOptions.MaximumRank"/>
    public int MaximumRank { get; set; } = s_defaults.MaximumRank;

    /// <summary>Numerator of the scale s, which stays alpha / <see cref="Rank"/> whatever the rank becomes; 0: equal to the rank, so s = 1.</summary>
    public float Alpha { get; set; } = s_defaults.Alpha;

    /// <inheritdoc cref="AdapterOptions.Dropout"/>
    public float Dropout { get; set; } = s_defaults.Dropout;

    /// <inheritdoc cref="L1raOptions.Mode"/>
    public L1raMode Mode { get; set; } = s_defaults.Mode;

    /// <inheritdoc cref="L1raOptions.GateRate"/>
    public double GateRate { get; set; } = s_defaults.GateRate;

    /// <inheritdoc cref="L1raOptions.Lambda"/>
    public double Lambda { get; set; } = s_defaults.Lambda;

    /// <inheritdoc cref="L1raOptions.PruneThreshold"/>
    public double PruneThreshold { get; set; } = s_defaults.PruneThreshold;

    /// <inheritdoc cref="L1raOptions.UpdateRatio"/>
    public double UpdateRatio { get; set; } = s_defaults.UpdateRatio;

    /// <inheritdoc cref="L1raOptions.Reassign"/>
    public bool Reassign { get; set; } = s_defaults.Reassign;

    /// <inheritdoc cref="L1raOptions.ExcludePruned"/>
    public bool ExcludePruned { get; set; } = s_defaults.ExcludePruned;

    /// <inheritdoc cref="L1raOptions.OptimizerOnReassign"/>
    public OptimizerOnReassign OptimizerOnReassign { get; set; } = s_defaults.OptimizerOnReassign;
}
