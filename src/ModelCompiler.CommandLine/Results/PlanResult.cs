using System.Text.Json.Serialization;
using ModelCompiler.CommandLine.Estimators;
using ModelCompiler.CommandLine.Estimators.PyTorch;
using ModelCompiler.Planning;

namespace ModelCompiler.CommandLine.Results;

/// <summary>
/// Result of <c>mc plan</c>. <paramref name="LowerBound"/> is the most that is live at once, below which no placement could go.
/// <paramref name="Paged"/> is host memory beside the peak. <paramref name="Budget"/> is null where none was given; then everything fits.
/// <paramref name="Estimate"/> is null where the figures are our planner's own; only then is there a bound.
/// </summary>
internal sealed record PlanResult(
    string Recipe,
    PlanChoices Plan,
    CostBytes Bytes,
    long Peak,
    long? LowerBound,
    long Paged,
    long? Budget,
    bool Fits,
    double FlopsPerStep,
    string Estimator,
    PlanEstimate? Estimate)
{
    /// <summary>Where the plan was searched for, what the search says beside it.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public FitSummary? Fit { get; init; }
}

/// <summary>The choices of the plan.</summary>
internal sealed record PlanChoices(
    int Batch, int Sequence, int GradientAccumulation, string Checkpointing, string SavedActivations, string Optimizer, string Storage, int? Rank, string Backend, int Threads)
{
    /// <summary>The choices as people read them.</summary>
    public string InWords() =>
        $"batch {Batch} x {Sequence} tokens, {GradientAccumulation} a step, checkpointing {Checkpointing}, activations in {SavedActivations}, {Optimizer}, " +
        $"{(Rank is int rank ? $"rank {rank}, " : "")}weights in {Storage}, {(Threads == 1 ? Backend : $"{Backend} with {Threads} threads")}";
}

/// <summary>The terms of the cost, in bytes; their sum is the peak.</summary>
internal sealed record CostBytes(
    long Weights, long Adapters, long Gradients, long Optimizer, long Activations, long Workspace, long Inputs, long Overhead)
{
    /// <summary>The same as a cost, whose terms have names.</summary>
    public MemoryCost Cost() => new(Weights, Adapters, Gradients, Optimizer, Activations, Workspace, Inputs, Overhead);
}

/// <summary>What another program's estimate says beyond the terms of a plan.</summary>
/// <param name="Moment">When its peak is reached.</param>
/// <param name="Reserved">Bytes that its allocator takes of the device; null where the estimate does not say.</param>
/// <param name="Terms">Its own terms, whose sum is the peak.</param>
internal sealed record PlanEstimate(string Moment, long? Reserved, IReadOnlyList<PlanTerm> Terms);

/// <summary>A term of another program's estimate; <paramref name="Kind"/> is the term of a plan that it is part of.</summary>
internal sealed record PlanTerm(string Name, string Kind, long Bytes);
