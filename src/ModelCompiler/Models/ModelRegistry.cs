using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using ModelCompiler.Backends;
using ModelCompiler.Planning;

namespace ModelCompiler.Models;

/// <summary>A compiled model by name, for programs that choose one at run time.</summary>
public abstract class ModelEntry
{
    /// <summary>The name of the model's class.</summary>
    public abstract string Name { get; }

    /// <summary>The model's tables, made when they are first asked for.</summary>
    public abstract ModelTables Tables { get; }

    /// <summary>The assembly the model was compiled into.</summary>
    public abstract Assembly Assembly { get; }

    /// <summary>Whether the class is a recipe over another class, rather than an architecture.</summary>
    public bool IsRecipe => Tables.Name != Tables.Architecture;

    /// <summary>Plans training and binds the model; the model disposes the backend.</summary>
    /// <exception cref="ArgumentException">A number of the plan is out of range for the model.</exception>
    public abstract TransformerModel ForTraining(TrainingPlan plan, IBackend backend);

    /// <summary>Plans generation and binds the model; the model disposes the backend.</summary>
    /// <exception cref="ArgumentException">A number is out of range for the model.</exception>
    public abstract TransformerModel ForGeneration(int capacity, int batch, IBackend backend, RankPattern? ranks = null);

    internal sealed class Of<T>(string name) : ModelEntry
        where T : TransformerModel, IModel<T>
    {
        public override string Name => name;

        public override ModelTables Tables => T.Tables;

        public override Assembly Assembly => typeof(T).Assembly;

        public override TransformerModel ForTraining(TrainingPlan plan, IBackend backend) => Model.ForTraining<T>(plan, backend);

        public override TransformerModel ForGeneration(int capacity, int batch, IBackend backend, RankPattern? ranks = null) =>
            Model.ForGeneration<T>(capacity, batch, backend, ranks);
    }
}

/// <summary>
/// The compiled models of this process. Every compiled class adds itself when its assembly is loaded; nothing is found by reflection.
/// Assemblies are loaded on any thread: every member may be used from several at once.
/// </summary>
public static class ModelRegistry
{
    private static ImmutableSortedDictionary<string, ModelEntry> s_entries = ImmutableSortedDictionary.Create<string, ModelEntry>(StringComparer.OrdinalIgnoreCase);

    /// <summary>All models at this moment, by name.</summary>
    public static IReadOnlyCollection<ModelEntry> All => [.. Volatile.Read(ref s_entries).Values];

    /// <summary>Adds a compiled class; called by generated code.</summary>
    /// <typeparam name="T">The class.</typeparam>
    /// <param name="name">What it is found by; null: the name of the class.</param>
    public static void Add<T>(string? name = null)
        where T : TransformerModel, IModel<T>
    {
        // A model's tables, some hundred objects, are made when they are first asked for: a program that trains one model has no others.
        var entry = new ModelEntry.Of<T>(name ?? typeof(T).Name);
        ImmutableInterlocked.Update(ref s_entries, entries => entries.SetItem(entry.Name, entry));
    }

    /// <summary>Finds a model by the name of its class.</summary>
    public static bool TryFind(string name, [NotNullWhen(true)] out ModelEntry? entry) => Volatile.Read(ref s_entries).TryGetValue(name, out entry);
}
