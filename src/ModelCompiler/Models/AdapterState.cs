using ModelCompiler.Adapters;
using ModelCompiler.Planning;

namespace ModelCompiler.Models;

/// <summary>One adapter of a bound model.</summary>
public abstract class AdapterState
{
    /// <summary>Creates the adapter's state.</summary>
    /// <param name="slot">Its slot.</param>
    /// <param name="index">Index of the slot among the model's.</param>
    /// <param name="layer">Its layer; -1 for the head.</param>
    /// <param name="rank">Its rank.</param>
    protected AdapterState(AdapterSlot slot, int index, int layer, int rank) => (Slot, Index, Layer, Rank, ActiveRank) = (slot, index, layer, rank, rank);

    /// <summary>The slot.</summary>
    public AdapterSlot Slot { get; }

    /// <summary>Index of the slot among the model's.</summary>
    public int Index { get; }

    /// <summary>Layer; -1 for the head.</summary>
    public int Layer { get; }

    /// <summary>Rank.</summary>
    public int Rank { get; protected set; }

    /// <summary>How many of its directions the adapter computes with now.</summary>
    public int ActiveRank { get; protected set; }

    /// <summary>The rank that the plan gives its slot, whatever it is in this layer or became.</summary>
    protected internal int FirstRank { get; internal set; } = 1;

    /// <summary>The factor s on the adapter's term.</summary>
    public virtual float Scale => Slot.Scale(ActiveRank);

    /// <summary>The factor s that the adapter computes with now: 0 where <see cref="TransformerModel.AdaptersEnabled"/> is off.</summary>
    public float ActiveScale => Enabled ? Scale : 0;

    /// <summary>Whether the adapter adds its term.</summary>
    internal bool Enabled { get; set; } = true;

    /// <summary>Probability with which an input element is dropped now: 0 outside training.</summary>
    public float DropoutRate { get; internal set; }

    /// <summary>Path of its projection in the model: "Layers[3].Attention.Query".</summary>
    public string Path => Slot.PathIn(Layer);

    /// <summary>Width of the projection's input.</summary>
    public abstract int Inputs { get; }

    /// <summary>Width of the projection's output.</summary>
    public abstract int Outputs { get; }

    /// <summary>Its parameters, frozen ones included.</summary>
    public abstract IReadOnlyList<Parameter> Parameters { get; }

    /// <summary>Rank of what <see cref="ToPeft"/> gives.</summary>
    public virtual int PeftRank => Rank;

    /// <summary>The rank that the method itself has chosen, before training or so far in it; null where it keeps to the declared one.</summary>
    /// <param name="model">The model.</param>
    public virtual int? ChosenRank(TransformerModel model) => Slot.Options.AdaptiveRanks ? PeftRank : null;

    /// <summary>Whether the model's weight is no longer the checkpoint's, which <see cref="ToPeft"/> is for.</summary>
    internal virtual bool ChangesWeight => false;

    /// <summary>Why the base's logits are not those without the adapter's term; null where they are.</summary>
    internal virtual string? KeepsOn => null;

    /// <summary>Whether <see cref="FromLora"/> restores all that <see cref="ToPeft"/> gives: the method is LoRA in all but its training.</summary>
    public virtual bool IsLora => true;

    /// <summary>Whether <see cref="ToPeft"/> gives magnitudes: the method is DoRA.</summary>
    public virtual bool HasMagnitude => false;

    /// <summary>Gives its parameters their start values, with which the model computes what its base does.</summary>
    /// <param name="model">The model, with the base's weights loaded.</param>
    /// <param name="seed">The seed; parameters draw from it by their paths.</param>
    public abstract void Initialize(TransformerModel model, ulong seed);

    /// <summary>Takes a rank for the coming steps, at most <see cref="Rank"/>, where the method has nested ones.</summary>
    internal virtual void Use(int rank)
    {
    }

    /// <summary>The adapter as plain LoRA on the weight that the model holds: Δ = <see cref="Scale"/> · B A.</summary>
    public abstract LowRankFactors ToLora(TransformerModel model);

    /// <summary>The adapter as plain LoRA on the weight as the checkpoint has it, which is another where the method's start changed it.</summary>
    public virtual LowRankFactors ToPeft(TransformerModel model) => ToLora(model);

    /// <summary>Takes the matrices that <see cref="ToPeft"/> gave; the base's weights are loaded.</summary>
    /// <exception cref="NotSupportedException">The method has more state than that.</exception>
    public virtual void FromLora(TransformerModel model, LowRankFactors module) =>
        throw new NotSupportedException($"a {Slot.Method} adapter is more than the two matrices of LoRA; load the file that was saved beside them");

    /// <summary>What the method does while it trains; null where that is nothing.</summary>
    /// <param name="model">The model.</param>
    /// <param name="adapters">All of its adapters of this class.</param>
    /// <param name="steps">Optimizer steps of the run.</param>
    /// <param name="seed">Seed of the run.</param>
    public virtual AdapterSchedule? Schedule(TransformerModel model, IReadOnlyList<AdapterState> adapters, int steps, ulong seed) => null;

    /// <summary>The frozen weight that it adapts; of a tied head that is the token embedding.</summary>
    public Parameter WeightIn(TransformerModel model)
    {
        ParameterInfo row = model.Tables.WeightOf(Slot);
        return model.Parameters.First(p => p.Info == row && p.Layer == Layer);
    }
}

/// <summary>One adapter of a bound model, with its method's options.</summary>
/// <typeparam name="TOptions">The options.</typeparam>
public abstract class AdapterState<TOptions> : AdapterState
    where TOptions : AdapterOptions
{
    /// <summary>Creates the adapter's state.</summary>
    /// <param name="slot">Its slot.</param>
    /// <param name="index">Index of the slot among the model's.</param>
    /// <param name="layer">Its layer; -1 for the head.</param>
    /// <param name="rank">Its rank.</param>
    /// <exception cref="ArgumentException">The slot's options are another method's.</exception>
    protected AdapterState(AdapterSlot slot, int index, int layer, int rank)
        : base(slot, index, layer, rank) => Options = slot.Options as TOptions
            ?? throw new ArgumentException($"{slot.Path} has the options of {slot.Method}, not {typeof(TOptions).Name}", nameof(slot));

    /// <summary>What the recipe says of the method.</summary>
    public TOptions Options { get; }
}
