namespace ModelCompiler.Tokenizers;

/// <summary>A tokenizer's file cannot be used, or a text or id is outside its vocabulary.</summary>
public sealed class TokenizerException : ModelCompilerException
{
    /// <summary>Creates the error.</summary>
    /// <param name="message">File, problem and what to do.</param>
    /// <param name="inner">The cause, if another exception is.</param>
    public TokenizerException(string message, Exception? inner = null)
        : base(message, inner)
    {
    }

    /// <summary>The error as readers of user files make it.</summary>
    internal static ModelCompilerException In(string source, string problem, Exception? inner) => new TokenizerException($"{source}: {problem}", inner);
}
