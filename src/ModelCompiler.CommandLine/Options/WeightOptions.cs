using System.CommandLine;
using ModelCompiler.CommandLine.Files;
using ModelCompiler.CommandLine.Runs;
using ModelCompiler.CommandLine.Terminal;
using ModelCompiler.HuggingFace.Weights;
using ModelCompiler.Planning;
using ModelCompiler.Safetensors;

namespace ModelCompiler.CommandLine.Options;

/// <summary>Where weights come from.</summary>
internal sealed class WeightOptions
{
    private readonly Option<string> _base = new("--base")
    {
        Description = "Folder with config.json, model.safetensors (or its index) and the tokenizer",
        Required = true,
    };

    private readonly Option<string?> _adapter = new("--adapter") { Description = "Folder with adapter_config.json and adapter_model.safetensors" };

    /// <summary>Keys of config.json that are not compared with the description; of every command that reads a base.</summary>
    public static Option<string[]> IgnoreConfig { get; } = new("--ignore-config")
    {
        Description = "A key of the base's config.json to ignore, known to change nothing; may be given several times",
        HelpName = "key",
        DefaultValueFactory = _ => [],
    };

    /// <summary>Adds the options to a command.</summary>
    public void AddTo(Command command, bool withAdapter)
    {
        command.Add(_base);
        command.Add(IgnoreConfig);
        if (withAdapter)
        {
            command.Add(_adapter);
        }
    }

    /// <summary>The base's folder as it is given.</summary>
    public string Base(ParseResult arguments) => arguments.GetRequiredValue(_base);

    /// <summary>The base's folder, of which it is certain that it holds this model: whatever else is wrong with it comes after that.</summary>
    /// <exception cref="UsageException">It is no folder of a base.</exception>
    /// <exception cref="CheckpointException">Its config.json describes another model.</exception>
    public string Base(ParseResult arguments, ModelTables tables)
    {
        string folder = ModelFolders.RequireBase(Base(arguments));
        BaseWeights.RequireFit(folder, tables, Ignored(arguments));
        return folder;
    }

    /// <summary>The keys of <see cref="IgnoreConfig"/>.</summary>
    public static string[] Ignored(ParseResult arguments) => arguments.GetValue(IgnoreConfig) ?? [];

    /// <summary>The adapter's folder as it is given.</summary>
    public string? AdapterPath(ParseResult arguments) => arguments.GetValue(_adapter);

    /// <summary>The adapter's folder.</summary>
    /// <exception cref="UsageException">It is no folder of an adapter, or the model has no adapters.</exception>
    public string? Adapter(ParseResult arguments, ModelTables tables)
    {
        if (AdapterPath(arguments) is not { } folder)
        {
            return null;
        }

        return tables.Slots.Length > 0
            ? ModelFolders.RequireAdapter(folder)
            : throw new UsageException($"{tables.Name} has no adapters to load from '{folder}'; name the recipe that the adapter was trained with");
    }
}
