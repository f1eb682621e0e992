namespace ModelCompiler.CommandLine.Terminal;

/// <summary>The command line asks for something that cannot be done; the message says what to write instead.</summary>
internal sealed class UsageException : ModelCompilerException
{
    public UsageException(string message, Exception? inner = null)
        : base(message, inner)
    {
    }
}
