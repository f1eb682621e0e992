using ModelCompiler.Planning;

namespace ModelCompiler.Compiler.Description;

/// <summary>How an architecture is fine-tuned.</summary>
/// <param name="Architecture">Name of the architecture's class.</param>
/// <param name="Frozen">Storage of the frozen weights, in the order declared: a later one overrides on its targets.</param>
/// <param name="Adapters">The adapters, in the order they are declared.</param>
/// <param name="Budgets">Memory budgets to hold at build time.</param>
public sealed record RecipeSpec(
    string Architecture,
    EquatableArray<FrozenSpec> Frozen,
    EquatableArray<AdapterSpec> Adapters,
    EquatableArray<BudgetSpec> Budgets)
{
    /// <summary>C# of the architecture's tables, "global::N.Llama.Tables", which the recipe's begin with; null where the class is not at hand: they are written whole.</summary>
    public string? SharedTables { get; init; }

    /// <summary>How a projection's frozen weight is stored. Of the head nothing is said unless it is named: it stays 16-bit.</summary>
    public WeightFormat FormatOf(Projections projection)
    {
        FrozenSpec? frozen = Frozen.LastOrDefault(f => (f.Targets & projection) != 0);
        return frozen?.Format ?? (projection == Projections.Head ? EmbeddingFormat : WeightFormat.Compute);
    }

    /// <summary>How embeddings are stored: in 16 bits wherever weights are to be small, since 4 bits would cost quality for little memory.</summary>
    public WeightFormat EmbeddingFormat => Frozen.Any(f => f.Storage != Storage.Float32) ? WeightFormat.BFloat16 : WeightFormat.Compute;
}

/// <summary>One [Frozen] attribute.</summary>
/// <param name="Storage">The storage.</param>
/// <param name="BlockSize">Elements that share their factors; 0 where it is not given.</param>
/// <param name="DoubleQuantized">Whether the factors are quantized too.</param>
/// <param name="Targets">The projections it speaks of.</param>
public sealed record FrozenSpec(Storage Storage, int BlockSize, bool DoubleQuantized, Projections Targets)
{
    /// <summary>Whether weights become codes with factors.</summary>
    public bool Quantizes => QuantizedKind.Find(Storage) is not null;

    /// <summary>As the planner knows it.</summary>
    public WeightFormat Format => Quantizes ? new WeightFormat(Storage, BlockSize == 0 ? WeightFormat.DefaultBlock : BlockSize, DoubleQuantized) : new WeightFormat(Storage);
}

/// <summary>
/// One adapter attribute, read generically so that a new method needs no change in the front end: the method's options have
/// the arguments and their defaults.
/// </summary>
/// <param name="Method">The attribute's name without its suffix: "Lora".</param>
/// <param name="Targets">Projections that carry it (already defaulted to all).</param>
/// <param name="FirstLayer">First layer that carries it.</param>
/// <param name="Arguments">The other named arguments given; booleans are 0 or 1, enums their value.</param>
public sealed record AdapterSpec(string Method, Projections Targets, int FirstLayer, EquatableArray<ArgumentSpec> Arguments)
{
    /// <summary>The layers that carry it, as the description says it: "0..2, 5.."; empty: all.</summary>
    public string Layers { get; init; } = "";

    /// <summary>The layers that carry it in a model of so many; null: all.</summary>
    public LayerSet? LayersIn(int layers)
    {
        LayerSet? named = Layers.Length == 0 ? null : LayerSet.Find(Layers, layers);
        return FirstLayer == 0 && named is null ? null
            : LayerSet.Of((named ?? LayerSet.Range(0, layers - 1)).Where(layer => layer >= FirstLayer)) is var set && set.Count < layers ? set
            : null;
    }
}

/// <summary>A named attribute argument.</summary>
public sealed record ArgumentSpec(string Name, double Value);

/// <summary>A memory budget.</summary>
/// <param name="Text">The budget as written, "4 GiB".</param>
/// <param name="Device">The device that has this memory.</param>
/// <param name="Threads">Threads of the CPU backend.</param>
/// <param name="Plan">The plan that it is for, with its sequence and without what the attribute leaves to the recipe.</param>
public sealed record BudgetSpec(string Text, Device Device, int Threads, TrainingPlan Plan)
{
    /// <summary>What [MemoryBudget] means where it gives nothing but a size, for a model of this context.</summary>
    public static BudgetSpec Default(int context) => new("", Device.Cpu, 2, new TrainingPlan { Sequence = context });
}
