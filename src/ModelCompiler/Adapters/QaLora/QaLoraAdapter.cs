using ModelCompiler.Models;
using ModelCompiler.Planning;

namespace ModelCompiler.Adapters;

/// <summary>A QA-LoRA adapter: y += s · B A p, with p the means of groups of inputs (Xu et al. 2023, section 3.3).</summary>
public sealed class QaLoraAdapter : AdapterState<QaLoraOptions>
{
    /// <summary>Creates the adapter's state.</summary>
    /// <param name="slot">Its slot.</param>
    /// <param name="index">Index of the slot among the model's.</param>
    /// <param name="layer">Its layer; -1 for the head.</param>
    /// <param name="a">A, [rank, groups].</param>
    /// <param name="b">B, [out, rank].</param>
    public QaLoraAdapter(AdapterSlot slot, int index, int layer, Parameter a, Parameter b)
        : base(slot, index, layer, a.Value.Rows) => (A, B) = (a, b);

    /// <summary>A, [rank, groups].</summary>
    public Parameter A { get; }

    /// <summary>B, [out, rank].</summary>
    public Parameter B { get; }

    /// <summary>Inputs in a group.</summary>
    public int GroupSize => Options.GroupSize;

    /// <inheritdoc/>
    public override int Inputs => A.Value.Columns * GroupSize;

    /// <inheritdoc/>
    public override int Outputs => B.Value.Rows;

    /// <inheritdoc/>
    public override IReadOnlyList<Parameter> Parameters => [A, B];

    /// <summary>No: LoRA's A has a column for every input.</summary>
    public override bool IsLora => false;

    /// <summary>A uniform in ±√(6 / (groups + rank)) (Glorot and Bengio 2010, as the authors do), B 0.</summary>
    public override void Initialize(TransformerModel model, ulong seed)
    {
        Initialization.Uniform(model, A, seed, Math.Sqrt(6.0 / (A.Value.Columns + Rank)));
        Initialization.Constant(model, B, 0);
    }

    /// <summary>Plain LoRA with A's column of a group, divided by the group's size, for each of its inputs.</summary>
    public override LowRankFactors ToLora(TransformerModel model)
    {
        float[] a = model.Read(A);
        var wide = new float[a.Length * GroupSize];
        for (int i = 0; i < wide.Length; i++)
        {
            wide[i] = a[i / GroupSize] / GroupSize;
        }

        return new LowRankFactors(Rank, Inputs, Outputs, wide, model.Read(B));
    }
}
