namespace ModelCompiler.Planning;

// Classes: code over references is compiled with the framework, and a search that is the first thing a process does is mostly waiting for the compiler.

/// <summary>A checkpointing policy with the distance of checkpoints.</summary>
internal sealed record CheckpointChoice(Checkpointing Policy, int Every);

/// <summary>A micro-batch with how many of them an optimizer step has.</summary>
internal sealed record MicroBatchChoice(int Batch, int GradientAccumulation);

/// <summary>The choices a search goes through, each list in the order of preference where the objective sees no difference.</summary>
internal sealed class FitSpace
{
    private readonly ModelTables _tables;
    private readonly FitOptions _options;

    /// <exception cref="ArgumentException">A number of the options is out of range for the model, or what is asked for cannot grow.</exception>
    public FitSpace(ModelTables tables, FitObjective objective, BackendProfile profile, FitOptions options)
    {
        (_tables, _options, Objective) = (tables, options, objective);
        int sequence = options.Sequence ?? Math.Min(options.Template.Sequence, tables.Context);
        (Lowest, Highest) = objective switch
        {
            FitObjective.LongestSequence => options.Sequence is { } pinned ? (pinned, pinned) : (1, tables.Context),
            FitObjective.LargestRank => Ranks(),
            _ => (sequence, sequence),
        };
        Fixed = options.Template with { Sequence = sequence, Rank = options.Rank ?? options.Template.Rank };
        Batches = BatchesOf(options);
        Policies = PoliciesOf();
        Optimizers = options.Optimizer is { } optimizer ? [optimizer] : [.. OptimizerRule.SearchedOn(profile.IsHostMemory).Select(static rule => rule.Optimizer)];
        Storages = options.Storage is { } storage ? [storage] : options.Template.Storage is { } template ? [template] : StoragesOf();

        // Each number that is the user's is tried once, so that the search meets sound ones only.
        foreach (MicroBatchChoice micro in Batches)
        {
            At(Lowest, new CheckpointChoice(Checkpointing.Block, options.CheckpointEvery ?? 1), micro, Optimizers[0], Storages[0]).SizesFor(tables);
        }
    }

    /// <summary>What is asked for.</summary>
    public FitObjective Objective { get; }

    /// <summary>The least of what the objective wants most of.</summary>
    public int Lowest { get; }

    /// <summary>The most of it.</summary>
    public int Highest { get; }

    /// <summary>Micro-batches with how many of them an optimizer step has.</summary>
    public IReadOnlyList<MicroBatchChoice> Batches { get; }

    /// <summary>Checkpointing policies with the distance of checkpoints.</summary>
    public IReadOnlyList<CheckpointChoice> Policies { get; }

    /// <summary>Optimizers, the exact ones first.</summary>
    public IReadOnlyList<Optimizer> Optimizers { get; }

    /// <summary>Storages of the frozen projections, the declared one (null) first, then by bits.</summary>
    public IReadOnlyList<WeightFormat?> Storages { get; }

    private TrainingPlan Fixed { get; }

    /// <summary>A plan of the space.</summary>
    public TrainingPlan At(int value, CheckpointChoice policy, MicroBatchChoice micro, Optimizer optimizer, WeightFormat? storage) => Fixed with
    {
        Sequence = Objective == FitObjective.LongestSequence ? value : Fixed.Sequence,
        Rank = Objective == FitObjective.LargestRank ? value : Fixed.Rank,
        Checkpointing = policy.Policy,
        CheckpointEvery = policy.Every,
        Batch = micro.Batch,
        GradientAccumulation = micro.GradientAccumulation,
        Optimizer = optimizer,
        Storage = storage,
    };

    private (int Lowest, int Highest) Ranks()
    {
        if (_tables.Slots.Length == 0)
        {
            throw new ArgumentException($"{_tables.Name} has no adapters whose rank could grow");
        }

        if (_options.Template.Ranks is not null)
        {
            throw new ArgumentException("the plan gives each adapter its own rank; the largest rank is asked of all alike");
        }

        return _options.Rank is { } pinned ? (pinned, pinned) : (1, _tables.Slots.Min(static s => s.MaximumRank));
    }

    private static MicroBatchChoice[] BatchesOf(FitOptions options)
    {
        if (options.EffectiveBatch < 1)
        {
            throw new ArgumentException("an optimizer step must have at least 1 sequence");
        }

        if (options.Batch is { } batch)
        {
            return [new(batch, options.GradientAccumulation ?? Math.Max(1, options.EffectiveBatch / Math.Max(1, batch)))];
        }

        return Enumerable.Range(1, options.EffectiveBatch).Where(b => options.EffectiveBatch % b == 0)
            .Select(b => new MicroBatchChoice(b, options.GradientAccumulation ?? options.EffectiveBatch / b)).ToArray();
    }

    /// <summary>
    /// Checkpoints lie at most √layers apart: a layer keeps at least as much as its input, so that further apart the layers recomputed together take more
    /// than the inputs saved.
    /// </summary>
    private CheckpointChoice[] PoliciesOf()
    {
        int furthest = Math.Max(1, (int)Math.Ceiling(Math.Sqrt(_tables.Layers)));
        IEnumerable<CheckpointChoice> blocks = _options.CheckpointEvery is { } every
            ? [new(Checkpointing.Block, every)]
            : Enumerable.Range(1, furthest).Select(static n => new CheckpointChoice(Checkpointing.Block, n));
        return _options.Checkpointing switch
        {
            Checkpointing.Block => blocks.ToArray(),
            { } policy => [new(policy, 1)],
            null when _options.CheckpointEvery is null => [new(Checkpointing.None, 1), new(Checkpointing.Selective, 1), .. blocks],
            null => blocks.ToArray(),
        };
    }

    private WeightFormat?[] StoragesOf()
    {
        if (_tables.Slots.Length == 0)
        {
            return [null];
        }

        WeightFormat[] declared = _tables.Parameters.Where(static r => r.IsFrozenWeight && r.PerLayer && !r.Vector).Select(static r => r.Format).Distinct().ToArray();
        IEnumerable<WeightFormat?> others = new WeightFormat?[] { WeightFormat.Compute, WeightFormat.BFloat16, WeightFormat.Of(Storage.Int8), WeightFormat.Of(Storage.NF4) };
        return [null, .. others.Where(f => declared.Length != 1 || declared[0] != f)];
    }
}
