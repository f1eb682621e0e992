namespace ModelCompiler.Files;

/// <summary>Folders by what they are, not by how they are written.</summary>
public static class FolderPaths
{
    /// <summary>Windows and macOS tell no names apart that differ in case alone, as they are set up commonly.</summary>
    private static readonly StringComparison s_comparison =
        OperatingSystem.IsWindows() || OperatingSystem.IsMacOS() ? StringComparison.OrdinalIgnoreCase : StringComparison.Ordinal;

    /// <summary>Whether a folder is another or holds it, at any depth, whatever symbolic links and relative names lead to them.</summary>
    /// <param name="folder">The folder; need not exist.</param>
    /// <param name="other">The other folder, or a file; need not exist.</param>
    public static bool IsOrHolds(string folder, string other)
    {
        string outer = Path.TrimEndingDirectorySeparator(Real(folder));
        string inner = Path.TrimEndingDirectorySeparator(Real(other));
        return inner.Equals(outer, s_comparison)
            || inner.StartsWith(Path.EndsInDirectorySeparator(outer) ? outer : outer + Path.DirectorySeparatorChar, s_comparison);
    }

    /// <summary>The path of a file in a folder, from the folder on; null where it lies elsewhere.</summary>
    /// <param name="folder">The folder; need not exist.</param>
    /// <param name="file">The file; need not exist.</param>
    public static string? PathInside(string folder, string file) => IsOrHolds(folder, file) ? Path.GetRelativePath(Real(folder), Real(file)) : null;

    /// <summary>The full path with every symbolic link on it followed, as far as it exists.</summary>
    private static string Real(string path)
    {
        string full = Path.GetFullPath(path);
        string real = Path.GetPathRoot(full) ?? "";
        foreach (string part in full[real.Length..].Split(Path.DirectorySeparatorChar, StringSplitOptions.RemoveEmptyEntries))
        {
            var next = new DirectoryInfo(Path.Combine(real, part));
            try
            {
                real = next.LinkTarget is null ? next.FullName : Real(next.ResolveLinkTarget(returnFinalTarget: true)!.FullName);
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                // A circle of links, or a folder that may not be looked into: it is what it is called.
                real = next.FullName;
            }
        }

        return real;
    }
}
