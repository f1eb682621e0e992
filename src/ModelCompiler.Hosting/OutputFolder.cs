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
}
