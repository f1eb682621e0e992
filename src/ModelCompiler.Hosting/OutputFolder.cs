using ModelCompiler.Checkpoints;

namespace ModelCompiler.Hosting;

/// <summary>A folder that a base or an adapter is written to.</summary>
internal static class OutputFolder
{
    /// <summary>Refuses to write over what is read.</summary>
    /// <exception cref="UsageException">Both are one folder.</exception>
    public static void RequireOther(string output, string input, string what)
    {
        if (Path.GetFullPath(output).TrimEnd(Path.DirectorySeparatorChar) == Path.GetFullPath(input).TrimEnd(Path.DirectorySeparatorChar))
        {
            throw new UsageException($"--out is {what}, '{output}'; name another folder");
        }
    }

    /// <summary>What is not quantised keeps the base's type where that can be written.</summary>
    public static SafetensorsType StoredType(string basePath)
    {
        using Checkpoint checkpoint = Checkpoint.Open(basePath);
        return checkpoint.Names.Where(name => name.EndsWith("embed_tokens.weight", StringComparison.Ordinal)).All(name => checkpoint.Entry(name).Type == SafetensorsType.BF16)
            ? SafetensorsType.BF16
            : SafetensorsType.F32;
    }
}
