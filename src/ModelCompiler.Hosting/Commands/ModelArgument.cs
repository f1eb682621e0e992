using System.CommandLine;
using ModelCompiler.Models;

namespace ModelCompiler.Hosting.Commands;

/// <summary>The name of a compiled model on the command line.</summary>
internal static class ModelArgument
{
    /// <summary>The argument.</summary>
    public static Argument<string> Create() => new("recipe") { Description = "A recipe or an architecture of mc list" };

    /// <summary>The model of that name.</summary>
    /// <exception cref="UsageException">There is none.</exception>
    public static ModelEntry Find(string name)
    {
        if (ModelRegistry.TryFind(name, out ModelEntry? entry))
        {
            return entry;
        }

        string known = ModelRegistry.All.Count == 0
            ? "this program registers no models"
            : "there are " + string.Join(", ", ModelRegistry.All.Select(m => m.Name));
        throw new UsageException($"unknown recipe '{name}'; {known}");
    }
}
