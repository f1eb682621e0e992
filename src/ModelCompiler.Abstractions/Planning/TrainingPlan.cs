namespace ModelCompiler.Planning;

/// <summary>What is kept from forward for backward.</summary>
public enum Checkpointing
{
    /// <summary>Everything backward reads is kept.</summary>
    None,

    /// <summary>Values that are cheap to make (norms, activations) are recomputed from what they were made of.</summary>
    Selective,

    /// <summary>Of every <see cref="TrainingPlan.CheckpointEvery"/> layers only the lowest one's input is kept; their forward runs again in backward.</summary>
    Block,
}

/// <summary>The choices of a training run that memory depends on. All of them are numbers of the plan; none is compiled in.</summary>
public sealed record TrainingPlan
{
    /// <summary>Sequences in a micro-batch.</summary>
    public int Batch { get; init; } = 1;

    /// <summary>Tokens in a sequence.</summary>
    public int Sequence { get; init; } = 256;

    /// <summary>Micro-batches in an optimizer step.</summary>
    public int GradientAccumulation { get; init; } = 1;

    /// <summary>What is kept from forward for backward.</summary>
    public Checkpointing Checkpointing { get; init; } = Checkpointing.Selective;

    /// <summary>With <see cref="Checkpointing.Block"/>, layers of which one input is kept. While their backward runs, all but the highest keep values as if selective.</summary>
    public int CheckpointEvery { get; init; } = 1;

    /// <summary>
    /// How what layers save of their tokens is kept: in the compute type, or bfloat16. Kernels compute in Float32 either way; what they read is
    /// widened first, what they write narrowed after. Statistics and the residual stream stay in the compute type.
    /// </summary>
    public Storage SavedActivations { get; init; } = ModelCompiler.Storage.Float32;

    /// <summary>How trainable parameters are updated.</summary>
    public Optimizer Optimizer { get; init; } = Optimizer.AdamW;

    /// <summary>With <see cref="Optimizer.AdamW8Bit"/>, parameters with fewer elements keep full moments, as in bitsandbytes: they take little and suffer most.</summary>
    public int MinimumElementsFor8Bit { get; init; } = 4096;

    /// <summary>With <see cref="Optimizer.PagedAdamW"/>, moments of parameters with fewer elements stay in the arena, as in bitsandbytes.</summary>
    public int MinimumElementsForPaging { get; init; } = 100_000;

    /// <summary>With <see cref="Optimizer.PagedAdamW"/>, elements of a parameter whose moments are fetched at once, cut to whole rows; at least one row.</summary>
    public int PageElements { get; init; } = 1 << 20;

    /// <summary>Rank of all adapters instead of the declared ones.</summary>
    public int? Rank { get; init; }

    /// <summary>The rank of every adapter, where they differ between layers; goes before <see cref="Rank"/>, by which methods with moving ranks still scale.</summary>
    public RankPattern? Ranks { get; init; }

    /// <summary>Whether ranks may move where the method moves them; the plan then has room for all they can become. Off: they stay as they are.</summary>
    public bool MoveRanks { get; init; } = true;

    /// <summary>Storage of the frozen projections instead of the declared one; embeddings and head follow in 16 bits, or in Float32 with it.</summary>
    public WeightFormat? Storage { get; init; }

    /// <summary>Rows of one chunk of the loss; logits exist for this many tokens at a time.</summary>
    public int ChunkRows { get; init; } = 256;

    /// <summary>Whether buffers whose lives do not overlap share memory. Off only in tests that prove the sharing right.</summary>
    public bool ShareMemory { get; init; } = true;

    /// <summary>
    /// The best plan for training a model within a budget, found in milliseconds: it changes only what a plan chooses, and says which attributes would fix
    /// that in the recipe. Memory is <see cref="MemoryPlanner"/>'s, to the byte; time is a model of the catalog's counts and the device's rates.
    /// </summary>
    /// <param name="tables">The model.</param>
    /// <param name="budget">The most that <see cref="MemoryCost.Peak"/> may be, in bytes.</param>
    /// <param name="objective">What the plan is to be best at.</param>
    /// <param name="profile">The backend.</param>
    /// <param name="options">What may not be chosen; null: everything may.</param>
    /// <exception cref="ArgumentException">The budget is not positive, an option is out of range for the model, or it has nothing that the objective asks for.</exception>
    public static FitResult Fit(ModelTables tables, long budget, FitObjective objective, BackendProfile profile, FitOptions? options = null)
    {
        Require(budget > 0, "a budget must have at least 1 byte");
        return new FitSearch(tables, budget, objective, profile, options ?? new FitOptions()).Run();
    }

    /// <summary>The plan's sizes for a model.</summary>
    /// <exception cref="ArgumentException">A number of the plan is out of range for the model.</exception>
    public Sizes SizesFor(ModelTables tables)
    {
        Require(Batch > 0, "batch must be at least 1");
        Require(GradientAccumulation > 0, "accumulate must be at least 1");
        Require(ChunkRows > 0, "chunk rows must be at least 1");
        Require(SavedActivations is ModelCompiler.Storage.Float32 or ModelCompiler.Storage.BFloat16, $"activations are kept as Float32 or BFloat16, not as {SavedActivations}");
        Require(CheckpointEvery > 0, "checkpoints must be at least 1 layer apart");
        Require(PageElements > 0, "a page must have at least 1 element");
        Require(Sequence > 0 && Sequence <= tables.Context, $"sequence {Sequence} must be from 1 to the context of {tables.Name}, {tables.Context}");
        Require(Ranks is null || Ranks.Fits(tables), $"the ranks are not those of the adapters of {tables.Name}");
        for (int i = 0; i < tables.Slots.Length; i++)
        {
            AdapterSlot slot = tables.Slots[i];
            foreach (int rank in Ranks is null ? [Rank ?? slot.Rank] : tables.LayersOf(slot).Select(layer => Ranks[i, layer]))
            {
                Require(rank > 0 && rank <= slot.MaximumRank, $"rank {rank} of {slot.Path} must be from 1 to {slot.MaximumRank}, all its weight can use");
            }
        }

        foreach (ParameterInfo row in tables.Parameters.Where(row => row.Trainable && (row.SupportsPartialUpdate || Moves(tables, row))))
        {
            Require(RuleOf(row).InParts, $"{tables.Slots[row.Slot].Method} updates parameters in parts, which {RuleOf(row).Name} cannot");
        }

        if (Storage is { } storage)
        {
            Require(tables.Slots.Length > 0, $"{tables.Name} trains all of its weights: only a recipe has frozen ones to store as {storage.Storage}");
            int uneven = QuantizedKind.Find(storage.Storage) is { HasZeros: true } ? tables.Parameters.Where(IsProjection).Select(p => p.Columns.Factor).FirstOrDefault(c => c % storage.BlockSize != 0) : 0;
            Require(uneven == 0, $"Int4 groups of {storage.BlockSize} do not divide {uneven} inputs");
        }

        Require((long)Batch * Sequence <= int.MaxValue, "batch · sequence exceeds 2^31 tokens");
        return new Sizes(Batch, Sequence, Math.Min(ChunkRows, Batch * Sequence), 0, tables.Slots.Select(s => Rank ?? s.Rank).ToArray(), Ranks);
    }

    /// <summary>How a parameter is stored: as declared, or as this plan says.</summary>
    public WeightFormat FormatOf(ParameterInfo row) => Storage is not { } storage || row.Trainable || row.Slot >= 0 || row.Vector ? row.Format
        : IsProjection(row) || storage == WeightFormat.Compute ? storage : WeightFormat.BFloat16;

    /// <summary>The element type of saved values on a backend. One that computes in double keeps them as doubles.</summary>
    public DType SavedOn(BackendProfile profile) =>
        SavedActivations == ModelCompiler.Storage.BFloat16 && profile.Activation == DType.Float32 ? DType.BFloat16 : profile.Activation;

    /// <summary>Whether a parameter's rank may move: it then lies packed with the others that may.</summary>
    internal bool Moves(ModelTables tables, ParameterInfo row) => MoveRanks && row.Slot >= 0 && tables.Slots[row.Slot].Options.MovingRanks;

    private static bool IsProjection(ParameterInfo row) => row.PerLayer && !row.Vector && !row.Trainable && row.Slot < 0;

    /// <summary>How a trainable parameter is updated.</summary>
    public UpdateRule RuleOf(ParameterInfo row) => OptimizerRule.Of(Optimizer).Rule.For(row);

    /// <summary>How the moments of a trainable parameter of this many elements are kept.</summary>
    public MomentStorage StorageOf(ParameterInfo row, long elements)
    {
        OptimizerRule optimizer = OptimizerRule.Of(Optimizer);
        long least = optimizer.Storage switch { MomentStorage.Blockwise => MinimumElementsFor8Bit, MomentStorage.Paged => MinimumElementsForPaging, _ => 0 };
        return row.SupportsPartialUpdate || optimizer.Rule.For(row) != optimizer.Rule || elements < least ? MomentStorage.Full : optimizer.Storage;
    }

    private static void Require(bool condition, string message)
    {
        if (!condition)
        {
            throw new ArgumentException(message);
        }
    }
}
