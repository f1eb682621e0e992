using ModelCompiler.Data;

namespace ModelCompiler.CommandLine.Quickstart.Documentation;

/// <summary>
/// The reference documentation that the .NET SDK carries in packs/*/*/ref/*/*.xml: about 78,000 types and members, each with what it
/// does. Real text that every machine with an SDK has.
/// </summary>
public static class ReferenceDocumentation
{
    /// <summary>Percent of (declaring type, name) groups that are held out.</summary>
    public const int HeldOutPercent = 5;

    /// <summary>Reads and divides the documentation.</summary>
    /// <param name="root">The folder of dotnet; null for DOTNET_ROOT or else the dotnet that runs this program.</param>
    /// <exception cref="DatasetException">No SDK carries documentation, or a file of it is damaged.</exception>
    public static DocumentationCorpus Load(string? root = null) => DocumentationSplit.Divide(ReadMembers(root), HeldOutPercent);

    /// <summary>Every member with a summary, each ID once, in ordinal order of IDs.</summary>
    /// <param name="root">As for <see cref="Load"/>.</param>
    /// <exception cref="DatasetException">No SDK carries documentation, or a file of it is damaged.</exception>
    public static IReadOnlyList<DocumentedMember> ReadMembers(string? root = null)
    {
        string[] roots = root is not null ? [root] : [.. Roots()];
        foreach (string candidate in roots)
        {
            var members = new Dictionary<string, DocumentedMember>(StringComparer.Ordinal);
            foreach (string file in Files(candidate))
            {
                DocumentationXml.AddMembers(file, members);
            }

            if (members.Count > 0)
            {
                return [.. members.Values.OrderBy(m => m.Id, StringComparer.Ordinal)];
            }
        }

        throw new DatasetException(
            $"the .NET SDK at {string.Join(" or ", roots.DefaultIfEmpty("an unknown place"))} carries no reference documentation (packs/*/*/ref/*/*.xml); "
            + "install a .NET SDK, or set DOTNET_ROOT to one, or give data of your own with --data");
    }

    private static IEnumerable<string> Files(string root)
    {
        string packs = Path.Combine(root, "packs");
        if (!Directory.Exists(packs))
        {
            return [];
        }

        // packs/NAME/VERSION/ref/FRAMEWORK/FILE.xml
        return Directory.EnumerateDirectories(packs)
            .SelectMany(Directory.EnumerateDirectories)
            .Select(version => Path.Combine(version, "ref"))
            .Where(Directory.Exists)
            .SelectMany(Directory.EnumerateDirectories)
            .SelectMany(framework => Directory.EnumerateFiles(framework, "*.xml"))
            .Order(StringComparer.Ordinal);
    }

    private static IEnumerable<string> Roots()
    {
        if (Environment.GetEnvironmentVariable("DOTNET_ROOT") is { Length: > 0 } given)
        {
            yield return given;
        }

        // shared/Microsoft.NETCore.App/VERSION/, which is also right where the assembly has no file.
        string runtime = System.Runtime.InteropServices.RuntimeEnvironment.GetRuntimeDirectory();
        for (DirectoryInfo? folder = new(runtime); folder is not null; folder = folder.Parent)
        {
            if (Directory.Exists(Path.Combine(folder.FullName, "packs")))
            {
                yield return folder.FullName;
                yield break;
            }
        }
    }
}
