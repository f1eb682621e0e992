using System.CommandLine;
using ModelCompiler.CommandLine.Options;
using ModelCompiler.CommandLine.Results;
using ModelCompiler.CommandLine.Runs;
using ModelCompiler.CommandLine.Terminal;
using ModelCompiler.Data;
using ModelCompiler.Models;
using ModelCompiler.Planning;
using ModelCompiler.Training;

namespace ModelCompiler.CommandLine.Tuning;

/// <summary>Measures real optimizer steps of a plan.</summary>
/// <param name="Arguments">The command line, which names the backend.</param>
/// <param name="Model">The model.</param>
/// <param name="BasePath">Where its weights come from; null: random ones.</param>
/// <param name="Examples">The data; null: random tokens.</param>
/// <param name="WarmUp">The least number of steps before the measured ones.</param>
/// <param name="Steps">The least number of measured steps.</param>
/// <param name="Seconds">The least time of each: short steps are many, and the runtime compiles what runs often.</param>
/// <param name="Seed">Seed of what is random.</param>
internal sealed record StepMeasurement(ParseResult Arguments, ModelEntry Model, string? BasePath, IReadOnlyList<Example>? Examples, int WarmUp, int Steps, double Seconds, ulong Seed)
{
    /// <summary>So small that random weights stay what they are.</summary>
    private const double LearningRate = 1e-6;

    /// <summary>Of a run that is as long as need be: what methods do over a part of their steps is measured as it begins.</summary>
    private const int RunLength = 1_000_000;

    /// <summary>Measures a plan.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="cancellation">Stops after the step under way.</param>
    /// <exception cref="OperationCanceledException">It was canceled.</exception>
    public TunePoint Run(TrainingPlan plan, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        using TransformerModel model = BoundModel.ForTraining(Arguments, Model, plan);
        if (BasePath is null)
        {
            Initialization.All(model, Seed);
        }
        else
        {
            BoundModel.Load(model, BasePath, adapter: null, Seed, WeightOptions.Ignored(Arguments));
        }

        var batches = new Batches(Examples ?? RandomExamples(plan), plan.Batch, plan.Sequence, Seed);
        var options = new TrainingOptions { Steps = RunLength, LearningRate = LearningRate, Schedule = Schedule.Constant, GradientAccumulation = plan.GradientAccumulation, Seed = Seed };
        Trainer trainer = PlanOptions.Check(() => new Trainer(model, batches, options));
        Repeat(trainer, WarmUp, cancellation);
        List<StepMetrics> measured = Repeat(trainer, Steps, cancellation);
        return new TunePoint(
            PlanOptions.Name(plan.Checkpointing, plan.CheckpointEvery),
            plan.Batch,
            plan.GradientAccumulation,
            Median(measured.Select(m => m.TokensPerSecond)),
            Median(measured.Select(m => m.Seconds)),
            model.Plan.Cost.Peak);
    }

    private List<StepMetrics> Repeat(Trainer trainer, int steps, CancellationToken cancellation)
    {
        var metrics = new List<StepMetrics>();
        for (double seconds = 0; metrics.Count < steps || (steps > 0 && seconds < Seconds); seconds += metrics[^1].Seconds)
        {
            metrics.Add(trainer.Step());
            cancellation.ThrowIfCancellationRequested();
        }

        return metrics;
    }

    /// <summary>Full sequences of tokens, all of them learned: what a plan has room for.</summary>
    private List<Example> RandomExamples(TrainingPlan plan)
    {
        var random = new Random((int)Seed);
        int[] Tokens() => [.. Enumerable.Range(0, plan.Sequence).Select(_ => random.Next(Model.Tables.Vocabulary))];
        return [.. Enumerable.Range(0, plan.Batch * plan.GradientAccumulation).Select(_ => new Example(Tokens(), Tokens()))];
    }

    private static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted[sorted.Length / 2];
    }
}
