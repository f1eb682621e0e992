using ModelCompiler.Adapters;

namespace ModelCompiler;

/// <summary>
/// AdaLoRA (Zhang et al. 2023): y = W x + s · B (E ∘ (A dropout(x))) with s = alpha / initial rank. E, one number a direction, starts at 0; while training goes on
/// those directions of all adapters that matter least are given E = 0, until each has <see cref="Rank"/> on average.
/// </summary>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = true)]
public sealed class AdaLoraAttribute : AdapterAttribute
{
    private static readonly AdaLoraOptions s_defaults = new();

    /// <summary>The average rank that the budget ends with.</summary>
    public int Rank { get; set; } = s_defaults.Rank;

    /// <inheritdoc cref="AdaLoraOptions.InitialRank"/>
    public int InitialRank { get; set; } = s_defaults.InitialRank;

    /// <summary>Numerator of the scale s; 0: equal to the initial rank, so s = 1.</summary>
    public float Alpha { get; set; } = s_defaults.Alpha;

    /// <inheritdoc cref="AdapterOptions.Dropout"/>
    public float Dropout { get; set; } = s_defaults.Dropout;

    /// <inheritdoc cref="AdaLoraOptions.Warmup"/>
    public double Warmup { get; set; } = s_defaults.Warmup;

    /// <inheritdoc cref="AdaLoraOptions.Final"/>
    public double Final { get; set; } = s_defaults.Final;

    /// <inheritdoc cref="AdaLoraOptions.Interval"/>
    public int Interval { get; set; } = s_defaults.Interval;

    /// <inheritdoc cref="AdaLoraOptions.Orthogonality"/>
    public float Orthogonality { get; set; } = s_defaults.Orthogonality;

    /// <inheritdoc cref="AdaLoraOptions.Beta1"/>
    public float Beta1 { get; set; } = s_defaults.Beta1;

    /// <inheritdoc cref="AdaLoraOptions.Beta2"/>
    public float Beta2 { get; set; } = s_defaults.Beta2;
}
