namespace ModelCompiler.Files;

/// <summary>Where a user keeps what can be made again.</summary>
internal static class UserCache
{
    /// <summary>
    /// A folder below modelcompiler in XDG_CACHE_HOME, else in ~/.cache; on Windows in the local application data. Null where the user has neither: a folder
    /// that everybody can write is no place for it.
    /// </summary>
    /// <param name="name">What is kept there.</param>
    public static string? Folder(string name) => Folder(
        name,
        Environment.GetEnvironmentVariable("XDG_CACHE_HOME"),
        OperatingSystem.IsWindows() ? Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData)
        : Environment.GetEnvironmentVariable("HOME") is { Length: > 0 } home ? Path.Combine(home, ".cache") : null);

    /// <summary>The folder in the first of two that has a full path.</summary>
    internal static string? Folder(string name, string? cache, string? defaultValue) =>
        (Qualified(cache) ?? Qualified(defaultValue)) is { } root ? Path.Combine(root, "modelcompiler", name) : null;

    private static string? Qualified(string? path) => Path.IsPathFullyQualified(path ?? "") ? path : null;
}
