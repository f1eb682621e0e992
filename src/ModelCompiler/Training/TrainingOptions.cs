using ModelCompiler.Files;
using ModelCompiler.Models;

namespace ModelCompiler.Training;

/// <summary>The choices of a training run that memory does not depend on.</summary>
public sealed record TrainingOptions
{
    /// <summary>Optimizer steps.</summary>
    public int Steps { get; init; } = 100;

    /// <summary>
    /// Micro-batches in an optimizer step, fewer in the last of an epoch; the loss is the mean over the targets of all of them.
    /// A batch of b rows accumulated a times learns what one of b · a rows learns, up to rounding and to dropout, whose masks are drawn
    /// for each micro-batch.
    /// </summary>
    public int GradientAccumulation { get; init; } = 1;

    /// <summary>The highest learning rate.</summary>
    public double LearningRate { get; init; } = 2e-4;

    /// <summary>How the rate falls after the warm-up.</summary>
    public Schedule Schedule { get; init; } = Schedule.Cosine;

    /// <summary>Steps over which the rate rises to <see cref="LearningRate"/>.</summary>
    public int WarmupSteps { get; init; }

    /// <summary>The rate that a falling schedule ends at.</summary>
    public double MinimumLearningRate { get; init; }

    /// <summary>Decoupled weight decay; of matrices only, norms and biases have none.</summary>
    public double WeightDecay { get; init; }

    /// <summary>Decay of AdamW's first moment.</summary>
    public double Beta1 { get; init; } = 0.9;

    /// <summary>Decay of AdamW's second moment.</summary>
    public double Beta2 { get; init; } = 0.999;

    /// <summary>Added to the root of the second moment.</summary>
    public double Epsilon { get; init; } = 1e-8;

    /// <summary>Gradients are scaled down to this global norm when theirs is larger; 0: never.</summary>
    public double MaximumGradientNorm { get; init; } = 1;

    /// <summary>Seed of the dropout masks.</summary>
    public ulong Seed { get; init; }

    /// <summary>Steps between evaluations on held-out data; 0: only at the end.</summary>
    public int EvaluationInterval { get; init; }

    /// <summary>Steps between checkpoints; 0: as <see cref="SaveInterval"/> says, and at the end.</summary>
    public int SaveEvery { get; init; }

    /// <summary>The longest time between checkpoints, give or take a step; <see cref="Timeout.InfiniteTimeSpan"/>: as <see cref="SaveEvery"/> says, and at the end.</summary>
    public TimeSpan SaveInterval { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>Tells the time for <see cref="SaveInterval"/>.</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>Where checkpoint and metrics go; null: nowhere.</summary>
    public string? OutputFolder { get; init; }

    /// <summary>The lock of <see cref="OutputFolder"/>, where the caller holds it; null: the trainer takes it for the run.</summary>
    public FolderLock? OutputLock { get; init; }

    /// <summary>Whether to go on from the checkpoint in <see cref="OutputFolder"/>.</summary>
    public bool Resume { get; init; }

    /// <summary>The learning rate of every step.</summary>
    public LearningRateSchedule Rates => new(Schedule, LearningRate, Steps, WarmupSteps, MinimumLearningRate);

    /// <summary>The schedules of a model's adapter methods over these steps.</summary>
    internal AdapterSchedule[] SchedulesOf(TransformerModel model) => AdapterSchedule.Of(model, Steps, Seed);

    /// <summary>Checks the ranges.</summary>
    /// <exception cref="ArgumentException">A choice is out of range; it is named.</exception>
    internal void Validate()
    {
        Require(Steps > 0, "steps must be at least 1");
        Require(GradientAccumulation > 0, "accumulate must be at least 1");
        Require(double.IsFinite(LearningRate) && LearningRate > 0, "the learning rate must be above 0");
        Require(WarmupSteps >= 0 && WarmupSteps <= Steps, "warm-up must be from 0 to the number of steps");
        Require(MinimumLearningRate >= 0 && MinimumLearningRate <= LearningRate, "the minimum rate must be from 0 to the learning rate");
        Require(double.IsFinite(WeightDecay) && WeightDecay >= 0, "weight decay must be at least 0");
        Require(Beta1 is >= 0 and < 1 && Beta2 is >= 0 and < 1, "the betas must be from 0 to below 1");
        Require(double.IsFinite(Epsilon) && Epsilon > 0, "epsilon must be above 0");
        Require(double.IsFinite(MaximumGradientNorm) && MaximumGradientNorm >= 0, "the clip norm must be at least 0");
        Require(EvaluationInterval >= 0 && SaveEvery >= 0, "intervals must be at least 0");
        Require(SaveInterval > TimeSpan.Zero || SaveInterval == Timeout.InfiniteTimeSpan, "the save interval must be above 0, or infinite");
        Require(!Resume || OutputFolder is not null, "resuming needs an output folder");
    }

    private static void Require(bool condition, string message)
    {
        if (!condition)
        {
            throw new ArgumentException(message);
        }
    }
}
