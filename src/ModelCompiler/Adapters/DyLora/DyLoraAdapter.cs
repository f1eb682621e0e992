using ModelCompiler.Models;
using ModelCompiler.Planning;
using ModelCompiler.Training;

namespace ModelCompiler.Adapters;

/// <summary>
/// A low-rank adapter of nested ranks: y += alpha / b · B[:, :b] A[:b] x, for any b up to its rank (Valipour et al. 2023, section 3; the two factors
/// √(R/b) of the published code and its alpha / R make alpha / b), or alpha / √b where that is asked for.
/// </summary>
public sealed class DyLoraAdapter : AdapterState<DyLoraOptions>
{
    /// <summary>Creates the adapter's state.</summary>
    /// <param name="slot">Its slot.</param>
    /// <param name="index">Index of the slot among the model's.</param>
    /// <param name="layer">Its layer; -1 for the head.</param>
    /// <param name="a">A, [maximum rank, in].</param>
    /// <param name="b">B, [out, maximum rank].</param>
    public DyLoraAdapter(AdapterSlot slot, int index, int layer, Parameter a, Parameter b)
        : base(slot, index, layer, a.Value.Rows) => (A, B) = (a, b);

    /// <summary>A, [maximum rank, in].</summary>
    public Parameter A { get; }

    /// <summary>B, [out, maximum rank].</summary>
    public Parameter B { get; }

    /// <inheritdoc/>
    public override int Inputs => A.Value.Columns;

    /// <inheritdoc/>
    public override int Outputs => B.Value.Rows;

    /// <inheritdoc/>
    public override IReadOnlyList<Parameter> Parameters => [A, B];

    /// <summary>A uniform in ±1/√in, B 0.</summary>
    public override void Initialize(TransformerModel model, ulong seed)
    {
        Initialization.Uniform(model, A, seed, 1 / Math.Sqrt(Inputs));
        Initialization.Constant(model, B, 0);
    }

    /// <summary>The directions of the active rank: with r = b and the same alpha, plain LoRA has the same scale.</summary>
    public override LowRankFactors ToLora(TransformerModel model)
    {
        float[] b = model.Read(B);
        var columns = new float[Outputs * ActiveRank];
        for (int row = 0; row < Outputs; row++)
        {
            b.AsSpan(row * Rank, ActiveRank).CopyTo(columns.AsSpan(row * ActiveRank));
        }

        return new LowRankFactors(ActiveRank, Inputs, Outputs, model.Read(A)[..(ActiveRank * Inputs)], columns);
    }

    /// <inheritdoc/>
    public override void FromLora(TransformerModel model, LowRankFactors module)
    {
        model.Backend.Write(A.Value, module.A);
        model.Backend.Write(B.Value, module.B);
    }

    /// <inheritdoc/>
    public override AdapterSchedule Schedule(TransformerModel model, IReadOnlyList<AdapterState> adapters, int steps, ulong seed) =>
        new DyLoraSchedule(model, [.. adapters.Cast<DyLoraAdapter>()], seed);

    internal override void Use(int rank)
    {
        ActiveRank = rank;
        A.Activate(rank, Inputs);
        B.Activate(Outputs, rank);
    }
}
