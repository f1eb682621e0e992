namespace ModelCompiler.Planning;

/// <summary>What the best plan is best at.</summary>
public enum FitObjective
{
    /// <summary>The most tokens a second, by the device's rates.</summary>
    Fastest,

    /// <summary>The longest sequence.</summary>
    LongestSequence,

    /// <summary>The largest rank, the same for all adapters.</summary>
    LargestRank,
}

/// <summary>
/// What a search for a plan may not choose. Everything that is null is searched, except where nothing could be gained by it: rank and sequence
/// are chosen only by the objective that asks for them, and are else as <see cref="Template"/> has them.
/// </summary>
public sealed record FitOptions
{
    /// <summary>What the search does not choose: how saved activations are kept, rows of a chunk of the loss, sizes of pages, ranks that differ between layers.</summary>
    public TrainingPlan Template { get; init; } = new();

    /// <summary>Tokens in a sequence.</summary>
    public int? Sequence { get; init; }

    /// <summary>Sequences in a micro-batch.</summary>
    public int? Batch { get; init; }

    /// <summary>Micro-batches in an optimizer step.</summary>
    public int? GradientAccumulation { get; init; }

    /// <summary>Sequences in an optimizer step, batch · accumulation, where these do not say; batches are then its divisors.</summary>
    public int EffectiveBatch { get; init; } = 16;

    /// <summary>What is kept from forward for backward. With <see cref="ModelCompiler.Planning.Checkpointing.Block"/> the distance of checkpoints is still searched.</summary>
    public Checkpointing? Checkpointing { get; init; }

    /// <summary>With block checkpointing, layers of which one input is kept.</summary>
    public int? CheckpointEvery { get; init; }

    /// <summary>How trainable parameters are updated.</summary>
    public Optimizer? Optimizer { get; init; }

    /// <summary>Storage of the frozen projections. Searched are the declared one, Float32, BFloat16, Int8 and double quantized NF4 in blocks of 64.</summary>
    public WeightFormat? Storage { get; init; }

    /// <summary>Rank of all adapters.</summary>
    public int? Rank { get; init; }

    /// <summary>The device's rates; null: those of <see cref="DeviceRates.For"/>.</summary>
    public DeviceRates? Rates { get; init; }
}
