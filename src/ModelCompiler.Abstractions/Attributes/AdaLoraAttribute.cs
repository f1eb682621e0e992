namespace ModelCompiler;

/// <summary>
/// AdaLoRA (Zhang et al. 2023): y = W x + s · B (E ∘ (A dropout(x))) with s = alpha / initial rank. E, one number a direction, starts at 0; while training goes on
/// those directions of all adapters that matter least are given E = 0, until each has <see cref="Rank"/> on average.
/// </summary>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = true)]
public sealed class AdaLoraAttribute : AdapterAttribute
{
    /// <summary>The average rank that the budget ends with.</summary>
    public int Rank { get; set; } = 8;

    /// <summary>The rank that each adapter starts with: A is [r, in], E is [1, r], B is [out, r]; 0: 1.5 times <see cref="Rank"/>, as in the paper.</summary>
    public int InitialRank { get; set; }

    /// <summary>Numerator of the scale s; 0: equal to the initial rank, so s = 1.</summary>
    public float Alpha { get; set; }

    /// <summary>Probability with which an element of the adapter's input is dropped in training.</summary>
    public float Dropout { get; set; }

    /// <summary>The part of the optimizer steps before the budget begins to fall (the paper's t_i).</summary>
    public double Warmup { get; set; } = 0.1;

    /// <summary>The part of the optimizer steps after it has fallen, in which the kept directions are trained on (t_f).</summary>
    public double Final { get; set; } = 0.3;

    /// <summary>Optimizer steps from one allocation of the budget to the next (ΔT, in the paper 1 to 100).</summary>
    public int Interval { get; set; } = 10;

    /// <summary>Weight γ, beside the loss, of the mean of ‖A Aᵀ − I‖² and ‖Bᵀ B − I‖² over all adapters (the paper tries 0.1, 0.3 and 0.5); 0: none.</summary>
    public float Orthogonality { get; set; } = 0.1f;

    /// <summary>How slowly sensitivities follow, from 0 to below 1.</summary>
    public float Beta1 { get; set; } = 0.85f;

    /// <summary>How slowly uncertainties follow, from 0 to below 1.</summary>
    public float Beta2 { get; set; } = 0.85f;
}
