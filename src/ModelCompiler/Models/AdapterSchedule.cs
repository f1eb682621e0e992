using ModelCompiler.Planning;

namespace ModelCompiler.Models;

/// <summary>
/// What an adapter method does while it trains: ranks that change, columns that freeze, gates that are pruned. Each method that adapts has one,
/// for all of its adapters in a model. What it does depends on the step's number and the run's seed alone, or lies in parameters or in what it
/// saves, so that a resumed run repeats it.
/// </summary>
public abstract class AdapterSchedule
{
    /// <summary>The schedules of a model's adapters, in the order of their first adapter.</summary>
    /// <param name="model">A model planned for training.</param>
    /// <param name="steps">Optimizer steps of the run.</param>
    /// <param name="seed">Seed of the run.</param>
    public static AdapterSchedule[] Of(TransformerModel model, int steps, ulong seed) =>
        [.. model.Adapters.GroupBy(a => a.GetType()).Select(g => g.First().Schedule(model, [.. g], steps, seed)).OfType<AdapterSchedule>()];

    /// <summary>What the schedule depends on beyond the slots' rows and the seed, and a resumed run must therefore have the same; "" where that is nothing.</summary>
    public virtual string Fact => "";

    /// <summary>The ranks, where the last <see cref="BeginStep"/> moved any; else null.</summary>
    public virtual RankPattern? Moved { get; protected set; }

    /// <summary>What the schedule must know to go on after a resumption and neither the step's number nor a parameter says; "" where that is nothing.</summary>
    public virtual string Save() => "";

    /// <summary>Takes what <see cref="Save"/> gave, before parameters are loaded.</summary>
    /// <exception cref="ArgumentException">It does not fit the model.</exception>
    /// <exception cref="System.Text.Json.JsonException">It is damaged.</exception>
    public virtual void Restore(string state)
    {
    }

    /// <summary>
    /// Before the first micro-batch of an optimizer step, with all parameters as the step before left them; once more with the same step where
    /// it failed before its update.
    /// </summary>
    /// <param name="step">The step, from 1.</param>
    public virtual void BeginStep(int step)
    {
    }

    /// <summary>After the last backward of a step: adds what the method itself wants of gradients, which then are clipped with the loss's.</summary>
    /// <param name="step">The step, from 1.</param>
    public virtual void AddGradients(int step)
    {
    }

    /// <summary>After the optimizer's update.</summary>
    /// <param name="step">The step, from 1.</param>
    /// <param name="rate">Its learning rate.</param>
    public virtual void EndStep(int step, double rate)
    {
    }
}
