using System.Globalization;
using System.Text.RegularExpressions;

namespace ModelCompiler.Files;

/// <summary>The file that <see cref="AtomicFile"/> fills before it becomes the target: ".TARGET.PID.GUID.tmp" in the target's folder.</summary>
internal static partial class TemporaryFile
{
    /// <summary>Characters of the target's name that are kept: a name as long as file systems allow leaves no room for the rest.</summary>
    private const int NameLength = 60;

    /// <summary>A new name for a target.</summary>
    public static string PathFor(string target) =>
        Path.Combine(FolderOf(target), string.Create(CultureInfo.InvariantCulture, $"{Prefix(target)}{Environment.ProcessId}.{Guid.NewGuid():N}.tmp"));

    /// <summary>Removes what killed processes left of a target.</summary>
    public static void RemoveAbandoned(string target) => Remove(FolderOf(target), Prefix(target));

    /// <summary>Removes what killed processes left in a folder.</summary>
    public static void RemoveAllAbandoned(string folder) => Remove(folder, ".");

    /// <summary>Removes a file; one that cannot be removed stays, since the error that led here is the one to report.</summary>
    public static void TryDelete(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
        }
    }

    private static void Remove(string folder, string prefix)
    {
        string[] files;
        try
        {
            files = Directory.GetFiles(folder, ".*.tmp");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // What cannot be listed cannot be tidied; whether it can be written shows when it is.
            return;
        }

        foreach (string file in files.Where(f => Path.GetFileName(f).StartsWith(prefix, StringComparison.Ordinal)))
        {
            if (Pattern().Match(Path.GetFileName(file)) is { Success: true } match
                && int.TryParse(match.Groups[1].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture, out int process)
                && !ProcessIdentity.MayHaveWritten(process, File.GetLastWriteTimeUtc(file)))
            {
                TryDelete(file);
            }
        }
    }

    private static string FolderOf(string target) => Path.GetDirectoryName(target) ?? target;

    private static string Prefix(string target)
    {
        string name = Path.GetFileName(target);
        int length = Math.Min(name.Length, NameLength);
        return $".{name[..(length > 0 && length < name.Length && char.IsHighSurrogate(name[length - 1]) ? length - 1 : length)]}.";
    }

    [GeneratedRegex(@"^\..*\.([0-9]{1,10})\.[0-9a-f]{32}\.tmp$", RegexOptions.Singleline | RegexOptions.NonBacktracking)]
    private static partial Regex Pattern();
}
