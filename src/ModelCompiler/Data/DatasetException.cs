namespace ModelCompiler.Data;

/// <summary>Training or evaluation data cannot be used; the message names the file and the line.</summary>
public sealed class DatasetException : ModelCompilerException
{
    /// <summary>Creates the error.</summary>
    /// <param name="message">File, line, problem and what to do.</param>
    /// <param name="inner">The cause, if another exception is.</param>
    public DatasetException(string message, Exception? inner = null)
        : base(message, inner)
    {
    }

    /// <summary>The error as readers of user files make it.</summary>
    internal static ModelCompilerException In(string source, string problem, Exception? inner) => new DatasetException($"{source}: {problem}", inner);
}
