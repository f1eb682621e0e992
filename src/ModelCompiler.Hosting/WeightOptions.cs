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

    /// <summary>Adds the options to a command.</summary>
    public void AddTo(Command command, bool withAdapter)
    {
        command.Add(_base);
        if (withAdapter)
        {
            command.Add(_adapter);
        }
    }

    /// <summary>The base's folder.</summary>
    public string Base(ParseResult arguments) => arguments.GetRequiredValue(_base);

    /// <summary>The adapter's folder.</summary>
    public string? Adapter(ParseResult arguments) => arguments.GetValue(_adapter);
}
