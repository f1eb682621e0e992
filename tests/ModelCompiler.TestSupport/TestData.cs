namespace ModelCompiler.Tests;

/// <summary>Where the repository and the real test data lie.</summary>
public static class TestData
{
    private static readonly string? s_repository = FindRepository();

    /// <summary>The folder that holds ModelCompiler.sln.</summary>
    /// <exception cref="InvalidOperationException">The tests run outside of the repository.</exception>
    public static string Repository => s_repository ?? throw new InvalidOperationException($"No ModelCompiler.sln in {AppContext.BaseDirectory} or above it.");

    /// <summary>The data folder: MODELCOMPILER_DATA, or shared/data beside the repository; null where there is none.</summary>
    public static string? Folder { get; } = FindFolder();

    /// <summary>A file or folder of the data; the test calls <see cref="Require"/> first.</summary>
    /// <exception cref="InvalidOperationException">There is no data folder.</exception>
    public static string PathOf(string relative) =>
        Path.Combine(Folder ?? throw new InvalidOperationException("The test does not call TestData.Require, and there is no data folder."), relative);

    /// <summary>Skips the test where a file or folder of the data is absent.</summary>
    public static void Require(string relative)
    {
        Assert.SkipWhen(Folder is null, "No test data: set MODELCOMPILER_DATA to the data folder.");
        Assert.SkipUnless(Path.Exists(PathOf(relative)), $"The data folder has no {relative}.");
    }

    private static string? FindRepository()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "ModelCompiler.sln")))
            {
                return folder.FullName;
            }
        }

        return null;
    }

    private static string? FindFolder()
    {
        string? folder = Environment.GetEnvironmentVariable("MODELCOMPILER_DATA") is { Length: > 0 } given ? given
            : s_repository is null ? null
            : Path.GetFullPath(Path.Combine(s_repository, "..", "shared", "data"));
        return Directory.Exists(folder) ? folder : null;
    }
}
