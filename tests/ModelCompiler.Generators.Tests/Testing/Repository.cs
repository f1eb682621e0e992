namespace ModelCompiler.Generators.Tests.Testing;

/// <summary>The repository that the tests were built in.</summary>
internal static class Repository
{
    public static string Root { get; } = Find();

    private static string Find()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "ModelCompiler.sln")))
            {
                return folder.FullName;
            }
        }

        throw new DirectoryNotFoundException($"No ModelCompiler.sln above {AppContext.BaseDirectory}: run the tests from a build inside the repository.");
    }
}
