namespace ModelCompiler.Training;

/// <summary>Training cannot go on or cannot be resumed; the message says why and what to do.</summary>
public sealed class TrainingException : ModelCompilerException
{
    /// <summary>Creates the error.</summary>
    /// <param name="message">What is wrong and what to do.</param>
    /// <param name="inner">The cause, if another exception is.</param>
    public TrainingException(string message, Exception? inner = null)
        : base(message, inner)
    {
    }

    /// <summary>The error as readers of user files make it.</summary>
    internal static ModelCompilerException In(string source, string problem, Exception? inner) => new TrainingException($"{source}: {problem}", inner);
}
