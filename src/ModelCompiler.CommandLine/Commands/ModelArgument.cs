using System.CommandLine;
using ModelCompiler.CommandLine.Options;
using ModelCompiler.CommandLine.Terminal;
using ModelCompiler.Models;

namespace ModelCompiler.CommandLine.Commands;

/// <summary>The name of a compiled model on the command line.</summary>
internal static class ModelArgument
{
    /// <summary>The argument.</summary>
    public static Argument<string> Create() => new("recipe") { Description = "A recipe or an architecture; the list command shows them" };

    /// <summary>The model of that name.</summary>
    /// <exception cref="UsageException">There is none.</exception>
    public static ModelEntry Find(string name)
    {
        if (ModelRegistry.TryFind(name, out ModelEntry? entry))
        {
            return entry;
        }

        throw new UsageException(ModelRegistry.All.Count == 0
            ? $"unknown recipe '{name}'; this program registers no models"
            : $"unknown recipe '{name}'{Suggestions.For(name, ModelRegistry.All.Select(m => m.Name))} The list command shows all");
    }
}
