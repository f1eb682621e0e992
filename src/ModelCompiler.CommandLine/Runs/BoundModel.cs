using System.CommandLine;
using ModelCompiler.Backends;
using ModelCompiler.CommandLine.Options;
using ModelCompiler.CommandLine.Terminal;
using ModelCompiler.HuggingFace.Peft;
using ModelCompiler.HuggingFace.Weights;
using ModelCompiler.Models;
using ModelCompiler.Planning;
using ModelCompiler.Safetensors;

namespace ModelCompiler.CommandLine.Runs;

/// <summary>Plans a model on the backend of the command line and fills it.</summary>
internal static class BoundModel
{
    /// <summary>For training and evaluation.</summary>
    /// <exception cref="UsageException">A number of the plan is out of range for the model.</exception>
    public static TransformerModel ForTraining(ParseResult arguments, ModelEntry model, TrainingPlan plan) =>
        OnBackend(arguments, backend => model.ForTraining(plan, backend));

    /// <summary>For generation of one sequence, with the ranks of the adapter that will be loaded.</summary>
    /// <exception cref="UsageException">A number is out of range for the model.</exception>
    /// <exception cref="CheckpointException">The adapter's adapter_config.json is absent or damaged.</exception>
    public static TransformerModel ForGeneration(ParseResult arguments, ModelEntry model, int capacity, string? adapter = null) =>
        ForGeneration(arguments, model, capacity, adapter is null ? null : AdapterFiles.Ranks(model.Tables, adapter));

    /// <summary>For generation of one sequence, with these ranks of the adapters, or the declared ones.</summary>
    /// <exception cref="UsageException">A number is out of range for the model.</exception>
    public static TransformerModel ForGeneration(ParseResult arguments, ModelEntry model, int capacity, RankPattern? ranks) =>
        OnBackend(arguments, backend => model.ForGeneration(capacity, 1, backend, ranks));

    /// <summary>Loads the base; adapters come from <paramref name="adapter"/>, else they start so that they change nothing.</summary>
    /// <param name="model">The model.</param>
    /// <param name="basePath">The base.</param>
    /// <param name="adapter">The adapter's folder.</param>
    /// <param name="seed">Seed of the adapters' start.</param>
    /// <param name="ignored">Keys of config.json that are not compared with the description.</param>
    /// <exception cref="CheckpointException">A file is missing, damaged or of another model.</exception>
    public static void Load(TransformerModel model, string basePath, string? adapter, ulong seed, IReadOnlyCollection<string>? ignored = null)
    {
        BaseWeights.Load(model, basePath, ignored);
        Initialization.Adapters(model, seed);
        if (adapter is not null)
        {
            AdapterFiles.Load(model, adapter);
        }

        ProcessMemory.GiveBack();
    }

    private static TransformerModel OnBackend(ParseResult arguments, Func<IBackend, TransformerModel> create)
    {
        ProcessMemory.GiveBack();
        IBackend backend = BackendChoice.Create(arguments);
        try
        {
            return PlanOptions.Check(() => create(backend));
        }
        catch
        {
            backend.Dispose();
            throw;
        }
    }
}
