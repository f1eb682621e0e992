using ModelCompiler.Checkpoints;
using ModelCompiler.Models;
using ModelCompiler.Planning;

namespace ModelCompiler.Adapters;

/// <summary>A low-rank adapter: y += s · B A x.</summary>
public sealed class LoraAdapter : AdapterState
{
    /// <summary>Creates the adapter's state.</summary>
    /// <param name="slot">Its slot.</param>
    /// <param name="index">Index of the slot among the model's.</param>
    /// <param name="layer">Its layer; -1 for the head.</param>
    /// <param name="a">A, [rank, in].</param>
    /// <param name="b">B, [out, rank].</param>
    public LoraAdapter(SlotRow slot, int index, int layer, Parameter a, Parameter b)
        : base(slot, index, layer, a.Value.Rows) => (A, B) = (a, b);

    /// <summary>A, [rank, in].</summary>
    public Parameter A { get; }

    /// <summary>B, [out, rank].</summary>
    public Parameter B { get; }

    /// <inheritdoc/>
    public override int Inputs => A.Value.Columns;

    /// <inheritdoc/>
    public override int Outputs => B.Value.Rows;

    /// <inheritdoc/>
    public override IReadOnlyList<Parameter> Parameters => [A, B];

    /// <summary>A uniform in ±1/√in (Kaiming with a = √5, as PEFT does), B 0.</summary>
    public override void Initialize(TransformerModel model, ulong seed)
    {
        Initialization.Uniform(model, A, seed, 1 / Math.Sqrt(A.Value.Columns));
        Initialization.Constant(model, B, 0);
    }

    /// <inheritdoc/>
    public override PeftModule Fold(TransformerModel model) =>
        new(Rank, A.Value.Columns, B.Value.Rows, model.Read(A), model.Read(B));

    /// <inheritdoc/>
    public override void Unfold(TransformerModel model, PeftModule module)
    {
        model.Kernels.Write(A.Value, module.A);
        model.Kernels.Write(B.Value, module.B);
    }
}
