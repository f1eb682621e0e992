using ModelCompiler.CommandLine.Options;
using ModelCompiler.CommandLine.Terminal;
using ModelCompiler.Data;
using ModelCompiler.Models;
using ModelCompiler.Planning;
using ModelCompiler.Training;

namespace ModelCompiler.CommandLine.Runs;

/// <summary>A training run with its progress shown.</summary>
/// <param name="Result">What the trainer says.</param>
/// <param name="Losses">Loss of every step of this run.</param>
/// <param name="Positions">Positions of data trained on, padding not counted.</param>
/// <param name="Seconds">Time of the steps; evaluation and saving are not counted.</param>
internal sealed record TrainingRun(TrainingResult Result, double[] Losses, long Positions, double Seconds)
{
    /// <summary>Positions of data a second.</summary>
    public double TokensPerSecond => Seconds > 0 ? Positions / Seconds : 0;

    /// <summary>Trains.</summary>
    /// <param name="session">Where progress is shown.</param>
    /// <param name="title">What it is called there.</param>
    /// <param name="model">The model; its weights are loaded.</param>
    /// <param name="data">The data.</param>
    /// <param name="options">The choices.</param>
    /// <param name="heldOut">Held-out data, if any.</param>
    /// <param name="onStep">Told of every step.</param>
    /// <param name="cancellation">Stops after the step under way.</param>
    /// <exception cref="UsageException">An option is out of range.</exception>
    public static TrainingRun Run(
        Session session,
        string title,
        TransformerModel model,
        Batches data,
        TrainingOptions options,
        Batches? heldOut,
        CancellationToken cancellation,
        Action<StepMetrics>? onStep = null)
    {
        Trainer trainer = PlanOptions.Check(() => new Trainer(model, data, options, heldOut));
        var losses = new List<double>();
        double positions = 0;
        double seconds = 0;
        TrainingResult result = WorkProgress.Run(session, title, options.Steps, report => trainer.Run(
            step =>
            {
                losses.Add(step.Loss);
                positions += step.TokensPerSecond * step.Seconds;
                seconds += step.Seconds;
                onStep?.Invoke(step);
                report(step.Step, $"loss {Tables.Number(step.Loss, 3)}, {Tables.Count((long)step.TokensPerSecond)} tokens/s, {ByteSize.Format(Environment.WorkingSet)}");
            },
            cancellation));
        return new TrainingRun(result, [.. losses], (long)Math.Round(positions), seconds);
    }
}
