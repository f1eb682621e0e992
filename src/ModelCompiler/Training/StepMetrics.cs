using ModelCompiler.Planning;

namespace ModelCompiler.Training;

/// <summary>What one optimizer step measured.</summary>
/// <param name="Step">The step, from 1.</param>
/// <param name="Loss">Mean cross-entropy, in nats, over the targets of all its micro-batches, before the update.</param>
/// <param name="LearningRate">Learning rate.</param>
/// <param name="GradientNorm">Global norm of the gradient before clipping.</param>
/// <param name="TokensPerSecond">Positions of data per second; padding is not counted.</param>
/// <param name="Seconds">Time of the step.</param>
/// <param name="HeldOutLoss">Mean cross-entropy on held-out data after the step, where it was evaluated.</param>
/// <param name="Ranks">The adapters' ranks, where they moved before the step.</param>
public readonly record struct StepMetrics(
    int Step, double Loss, double LearningRate, double GradientNorm, double TokensPerSecond, double Seconds, double? HeldOutLoss = null, RankPattern? Ranks = null);

/// <summary>What a run came to.</summary>
/// <param name="Steps">Steps completed, those before a resumption included.</param>
/// <param name="Cancelled">Whether it was stopped before its last step.</param>
/// <param name="Loss">Loss of the last step; NaN where none ran.</param>
/// <param name="HeldOutBefore">Held-out loss before the first step, where it was evaluated.</param>
/// <param name="HeldOutAfter">Held-out loss after the last step, where it was evaluated.</param>
public sealed record TrainingResult(int Steps, bool Cancelled, double Loss, double? HeldOutBefore, double? HeldOutAfter);
