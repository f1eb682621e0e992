using System.CommandLine;

namespace ModelCompiler.Hosting;

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
        Description = "A key of the base's config.json that is known to change nothing; may be given several times",
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

    /// <summary>The base's folder.</summary>
    public string Base(ParseResult arguments) => arguments.GetRequiredValue(_base);

    /// <summary>The keys of <see cref="IgnoreConfig"/>.</summary>
    public static string[] Ignored(ParseResult arguments) => arguments.GetValue(IgnoreConfig) ?? [];

    /// <summary>The adapter's folder.</summary>
    public string? Adapter(ParseResult arguments) => arguments.GetValue(_adapter);
}
