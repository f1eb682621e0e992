namespace ModelCompiler;

/// <summary>An error in what the user gave. The message alone says what is wrong, where, and what to do.</summary>
public abstract class ModelCompilerException : Exception
{
    /// <summary>Creates the error.</summary>
    protected ModelCompilerException(string message, Exception? inner = null)
        : base(message, inner)
    {
    }
}
