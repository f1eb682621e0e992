namespace ModelCompiler.Files;

/// <summary>A file could not be written; nothing of it was left behind and an older file of that name is unharmed.</summary>
public sealed class OutputException : ModelCompilerException
{
    /// <summary>Creates the error of two files, the second of which was to be written because the first could not.</summary>
    /// <param name="first">The first error.</param>
    /// <param name="second">The second.</param>
    public OutputException(OutputException first, OutputException second)
        : base($"{first.Message}; and then {second.Message}", new AggregateException(first, second))
    {
    }

    /// <summary>Creates the error.</summary>
    /// <param name="path">The file that was to be written.</param>
    /// <param name="inner">Why it was not.</param>
    public OutputException(string path, Exception inner)
        : base($"cannot write '{path}': {inner.Message.TrimEnd('.')}; check that the folder exists, may be written and has room", inner)
    {
    }

    /// <summary>Whether the file system throws such an exception where it cannot write.</summary>
    internal static bool IsCause(Exception error) =>
        error is IOException or UnauthorizedAccessException or NotSupportedException or System.Security.SecurityException;
}
