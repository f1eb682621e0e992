using ModelCompiler.CommandLine.Terminal;
using ModelCompiler.Files;

namespace ModelCompiler.CommandLine.Files;

/// <summary>What a command writes, kept apart from what it reads.</summary>
internal static class OutputFolder
{
    /// <summary>Files that runs write beside copies of the base's.</summary>
    private static readonly string[] s_written = ["metrics.jsonl", "config.json", "adapter_config.json"];

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

    /// <summary>Refuses to write inside of the base, or over data. A folder inside of the adapter's may be written: it holds nothing of the adapter.</summary>
    /// <param name="output">The folder of --out.</param>
    /// <param name="basePath">The base, whose files may be copied there.</param>
    /// <param name="data">Options that name files to read, with what they name.</param>
    /// <exception cref="UsageException">The output lies in the base, or a file would be overwritten.</exception>
    public static void RequireKept(string output, string? basePath, params ReadOnlySpan<(string Option, string? File)> data)
    {
        RequireOutside("--out", output, "--base", basePath);
        foreach ((string option, string? file) in data)
        {
            if (file is { Length: > 0 } && FolderPaths.PathInside(output, file) is { } name
                && (s_written.Contains(name, StringComparer.OrdinalIgnoreCase) || (basePath is not null && File.Exists(Path.Combine(basePath, name)))))
            {
                throw new UsageException($"{option} {file} is a file that the run writes into --out {output}; name another folder, or move the data");
            }
        }
    }

    /// <summary>Refuses a file or folder to write that lies in a folder to read.</summary>
    /// <param name="option">The option that names what is written.</param>
    /// <param name="path">What it names.</param>
    /// <param name="inputOption">The option that names the folder.</param>
    /// <param name="input">What that names.</param>
    /// <exception cref="UsageException">It does.</exception>
    public static void RequireOutside(string option, string path, string inputOption, string? input)
    {
        if (input is { Length: > 0 } && FolderPaths.IsOrHolds(input, path) && !FolderPaths.IsOrHolds(path, input))
        {
            throw new UsageException($"{option} {path} lies in the folder of {inputOption}, {input}, which must not be written; name another place");
        }
    }

    private static void RequireApart(string output, string option, string? input, bool overlaps)
    {
        if (overlaps)
        {
            throw new UsageException($"--out {output} is or holds the folder of {option}, {input}, which must not be written; name another folder");
        }
    }
}
