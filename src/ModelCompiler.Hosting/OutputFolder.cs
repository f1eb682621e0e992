using ModelCompiler.Files;

namespace ModelCompiler.Hosting;

/// <summary>A folder that a command writes.</summary>
internal static class OutputFolder
{
    /// <summary>Takes the folder for this run, having made certain that nothing that the run reads is in its way.</summary>
    /// <param name="output">The folder of --out.</param>
    /// <param name="inputs">Options that name folders to read, with what they name.</param>
    /// <exception cref="UsageException">The folder is one of them, or holds one.</exception>
    /// <exception cref="FolderInUseException">Another run is writing the folder.</exception>
    /// <exception cref="OutputException">The folder cannot be made or written.</exception>
    public static FolderLock Take(string output, params ReadOnlySpan<(string Option, string? Folder)> inputs)
    {
        if (output.Length == 0)
        {
            throw new UsageException("--out is empty; name a folder");
        }

        foreach ((string option, string? folder) in inputs)
        {
            RequireApart(output, option, folder, folder is { Length: > 0 } && FolderPaths.IsOrHolds(output, folder));
        }

        FolderLock taken = FolderLock.Take(output);
        try
        {
            foreach ((string option, string? folder) in inputs)
            {
                RequireApart(output, option, folder, folder is { Length: > 0 } && taken.Covers(folder));
            }
        }
        catch
        {
            taken.Dispose();
            throw;
        }

        return taken;
    }

    private static void RequireApart(string output, string option, string? input, bool overlaps)
    {
        if (overlaps)
        {
            throw new UsageException($"--out {output} is or holds the folder of {option}, {input}, which must not be written; name another folder");
        }
    }
}
