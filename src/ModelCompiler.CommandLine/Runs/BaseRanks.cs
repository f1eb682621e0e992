using ModelCompiler.Adapters;
using ModelCompiler.CommandLine.Options;
using ModelCompiler.CommandLine.Terminal;
using ModelCompiler.HuggingFace.Weights;
using ModelCompiler.Models;
using ModelCompiler.Planning;
using ModelCompiler.Safetensors;

namespace ModelCompiler.CommandLine.Runs;

/// <summary>Ranks that a recipe's methods choose from the base before training.</summary>
internal static class BaseRanks
{
    /// <summary>The plan with them; the plan as it is where no method of the recipe chooses.</summary>
    /// <param name="session">Where progress is shown.</param>
    /// <param name="model">The model.</param>
    /// <param name="plan">The plan.</param>
    /// <param name="basePath">The base.</param>
    /// <param name="ignored">Keys of config.json that are not compared with the description.</param>
    /// <param name="cancellation">Stops before the next weight.</param>
    /// <exception cref="UsageException">A number of the plan is out of range for the model.</exception>
    /// <exception cref="CheckpointException">The base is absent, damaged or of another model.</exception>
    public static TrainingPlan Choose(Session session, ModelEntry model, TrainingPlan plan, string basePath, IReadOnlyCollection<string> ignored, CancellationToken cancellation)
    {
        int count = RankChoice.Count(model.Tables);
        if (count == 0)
        {
            return plan;
        }

        PlanOptions.Check(() => plan.SizesFor(model.Tables));
        RankPattern? ranks = WorkProgress.Run(session, $"ranks of {model.Tables.Name}", count, report => PretrainedWeights.ChooseRanks(model.Tables, basePath, new RankChoiceOptions
        {
            Rank = plan.Rank,
            Note = session.Note,
            Progress = report,
            Cancellation = cancellation,
        }, ignored));
        return plan with { Rank = null, Ranks = ranks };
    }
}
