namespace ModelCompiler.Safetensors;

/// <summary>A checkpoint, its configuration or an adapter cannot be used; the message names the file and the tensor or key.</summary>
public sealed class CheckpointException : ModelCompilerException
{
    /// <summary>Creates the error.</summary>
    /// <param name="file">The file at fault.</param>
    /// <param name="problem">What is wrong with it and what to do, naming tensor or key.</param>
    /// <param name="inner">The cause, if another exception is.</param>
    public CheckpointException(string file, string problem, Exception? inner = null)
        : base($"{file}: {problem}", inner)
    {
        File = file;
    }

    /// <summary>The error as readers of user files make it.</summary>
    internal static ModelCompilerException In(string source, string problem, Exception? inner) => new CheckpointException(source, problem, inner);

    /// <summary>The file at fault.</summary>
    public string File { get; }
}
