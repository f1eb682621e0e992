using ModelCompiler.Models;
using ModelCompiler.Planning;
using ModelCompiler.Training;

namespace ModelCompiler.Adapters;

/// <summary>
/// An AdaLoRA adapter: y += s · B (E ∘ (A x)), in the form of a singular value decomposition whose values E are set to 0 where they matter least
/// (Zhang et al. 2023; there P, Λ and Q).
/// </summary>
public sealed class AdaLoraAdapter : AdapterState<AdaLoraOptions>
{
    private const double Deviation = 0.02;

    /// <summary>Creates the adapter's state.</summary>
    /// <param name="slot">Its slot.</param>
    /// <param name="index">Index of the slot among the model's.</param>
    /// <param name="layer">Its layer; -1 for the head.</param>
    /// <param name="a">A, [rank, in].</param>
    /// <param name="b">B, [out, rank].</param>
    /// <param name="e">E, [1, rank].</param>
    /// <param name="kept">
    /// What training keeps beside them, none without it: sensitivity and uncertainty of A, of B and of E, each of their shape; then <see cref="Scores"/>,
    /// <see cref="Mask"/> and <see cref="Overlap"/>.
    /// </param>
    public AdaLoraAdapter(AdapterSlot slot, int index, int layer, Parameter a, Parameter b, Parameter e, params Parameter[] kept)
        : base(slot, index, layer, a.Value.Rows)
    {
        (A, B, E) = (a, b, e);
        Rated = [new(a, kept[0], kept[1]), new(b, kept[2], kept[3]), new(e, kept[4], kept[5])];
        (Scores, Mask, Overlap) = (kept[6], kept[7], kept[8]);
    }

    /// <summary>A, [rank, in].</summary>
    public Parameter A { get; }

    /// <summary>B, [out, rank].</summary>
    public Parameter B { get; }

    /// <summary>E, [1, rank]: 0 where a direction is not used.</summary>
    public Parameter E { get; }

    /// <summary>A, B and E with what is known of the importance of their elements.</summary>
    public IReadOnlyList<RatedParameter> Rated { get; }

    /// <summary>Sums of sensitivity times uncertainty of each direction: of its value in E, its column of B and its row of A, [3, rank].</summary>
    public Parameter Scores { get; }

    /// <summary>1 for each direction that the budget keeps, 0 for others, [1, rank].</summary>
    public Parameter Mask { get; }

    /// <summary>A Aᵀ − I, or Bᵀ B − I, while the regularization is computed, [rank, rank].</summary>
    public Parameter Overlap { get; }

    /// <summary>The average rank that the budget ends with; in proportion where a plan has another rank than the declared one.</summary>
    public int TargetRank => Options.TargetRank(Rank, Slot.Rank);

    /// <inheritdoc/>
    public override int Inputs => A.Value.Columns;

    /// <inheritdoc/>
    public override int Outputs => B.Value.Rows;

    /// <summary>What it computes with; sensitivities and uncertainties matter to training alone.</summary>
    public override IReadOnlyList<Parameter> Parameters => [A, B, E];

    /// <inheritdoc/>
    public override bool IsLora => false;

    /// <summary>A and B of N(0, 0.02²), as the authors' code has it, and E 0; nothing is known of importance, and all directions are kept.</summary>
    public override void Initialize(TransformerModel model, ulong seed)
    {
        Initialization.Normal(model, A, seed, Deviation);
        Initialization.Normal(model, B, seed, Deviation);
        Initialization.Constant(model, E, 0);
        if (Mask.Value.IsNone)
        {
            return;
        }

        foreach (RatedParameter rated in Rated)
        {
            model.Backend.Zero(rated.Sensitivity.Value);
            model.Backend.Zero(rated.Uncertainty.Value);
        }

        Initialization.Constant(model, Mask, 1);
    }

    /// <summary>The directions whose E is not 0.</summary>
    public override int? ChosenRank(TransformerModel model) => model.Read(E).Count(e => e != 0);

    /// <summary>Plain LoRA of the directions whose E is not 0, E in A; of one that adds nothing where all are, for PEFT has no rank 0.</summary>
    public override LowRankFactors ToLora(TransformerModel model)
    {
        (float[] a, float[] b, float[] e) = (model.Read(A), model.Read(B), model.Read(E));
        int[] kept = [.. Enumerable.Range(0, Rank).Where(k => e[k] != 0).DefaultIfEmpty(0)];
        var foldedA = new float[kept.Length * Inputs];
        var foldedB = new float[Outputs * kept.Length];
        for (int k = 0; k < kept.Length; k++)
        {
            for (int i = 0; i < Inputs; i++)
            {
                foldedA[k * Inputs + i] = e[kept[k]] * a[kept[k] * Inputs + i];
            }

            for (int o = 0; o < Outputs; o++)
            {
                foldedB[o * kept.Length + k] = b[o * Rank + kept[k]];
            }
        }

        return new LowRankFactors(kept.Length, Inputs, Outputs, foldedA, foldedB);
    }

    /// <inheritdoc/>
    public override AdapterSchedule Schedule(TransformerModel model, IReadOnlyList<AdapterState> adapters, int steps, ulong seed) =>
        new AdaLoraSchedule(model, [.. adapters.Cast<AdaLoraAdapter>()], steps);
}

/// <summary>A parameter and what is known of the importance of its elements.</summary>
/// <param name="Value">The parameter.</param>
/// <param name="Sensitivity">Smoothed |w · dw| of each element.</param>
/// <param name="Uncertainty">Smoothed distance of |w · dw| from that.</param>
public readonly record struct RatedParameter(Parameter Value, Parameter Sensitivity, Parameter Uncertainty);
