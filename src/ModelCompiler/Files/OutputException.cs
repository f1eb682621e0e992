namespace ModelCompiler.Files;

/// <summary>A file could not be written; nothing of it was left behind and an older file of that name is unharmed.</summary>
public sealed class OutputException : ModelCompilerException
{
    /// <summary>Creates the error.</summary>
    /// <param name="path">The file that was to be written.</param>
    /// <param name="inner">Why it was not.</param>
    public OutputException(string path, Exception inner)
        : base($"cannot write '{path}': {inner.Message.TrimEnd('.')}; check that the folder exists, may be written and has room", inner)
    {
    }
}
