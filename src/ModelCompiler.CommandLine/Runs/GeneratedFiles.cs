using System.Reflection;
using ModelCompiler.CommandLine.Terminal;
using ModelCompiler.Models;

namespace ModelCompiler.CommandLine.Runs;

/// <summary>
/// The C# the compiler wrote for a model. The build says where in an assembly attribute, when it writes the files at all
/// (EmitCompilerGeneratedFiles).
/// </summary>
internal static class GeneratedFiles
{
    private const string Key = "ModelCompiler.GeneratedFiles";

    /// <summary>What a user does to see them.</summary>
    public const string HowTo = "set EmitCompilerGeneratedFiles to true in the project that holds the description: the build then writes them below obj/";

    /// <summary>The files that exist, by name.</summary>
    public static string[] Of(ModelEntry model)
    {
        string? folder = model.Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().FirstOrDefault(a => a.Key == Key)?.Value;
        return folder is null || !Directory.Exists(folder)
            ? []
            : [.. Directory.EnumerateFiles(folder, "*.g.cs", SearchOption.AllDirectories)
                .Where(path => IsOf(Path.GetFileName(path), model.Tables.Name))
                .Select(Path.GetFullPath)
                .Order(StringComparer.Ordinal)];
    }

    /// <summary>Files are named Namespace.Class.Part.g.cs.</summary>
    private static bool IsOf(string file, string name)
    {
        string[] parts = file.Split('.');
        return parts.Length >= 4 && parts[^4] == name;
    }
}
