using ModelCompiler.Models;
using ModelCompiler.Planning;

namespace ModelCompiler.Adapters;

/// <summary>One adapter of a bound model.</summary>
public abstract class AdapterState
{
    /// <summary>Creates the adapter's state.</summary>
    /// <param name="slot">Its slot.</param>
    /// <param name="index">Index of the slot among the model's.</param>
    /// <param name="layer">Its layer; -1 for the head.</param>
    /// <param name="rank">Its rank.</param>
    protected AdapterState(SlotRow slot, int index, int layer, int rank) => (Slot, Index, Layer, Rank) = (slot, index, layer, rank);

    /// <summary>The slot.</summary>
    public SlotRow Slot { get; }

    /// <summary>Index of the slot among the model's.</summary>
    public int Index { get; }

    /// <summary>Layer; -1 for the head.</summary>
    public int Layer { get; }

    /// <summary>Rank.</summary>
    public int Rank { get; }

    /// <summary>The factor s on the adapter's term.</summary>
    public float Scale => Slot.Scale(Rank);

    /// <summary>Probability with which an input element is dropped now: 0 outside training.</summary>
    public float DropoutRate { get; internal set; }

    /// <summary>The adapter's module in the checkpoint: "model.layers.3.self_attn.q_proj".</summary>
    public string Module =>
        Slot.Module.Replace("{0}", Layer.ToString(System.Globalization.CultureInfo.InvariantCulture), StringComparison.Ordinal);
}

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
}
