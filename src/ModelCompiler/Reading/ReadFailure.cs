namespace ModelCompiler.Reading;

/// <summary>Makes a reader's own exception.</summary>
/// <param name="source">The file, with the place in it where a file holds several texts.</param>
/// <param name="problem">What is wrong and what to do.</param>
/// <param name="inner">The cause, if another exception is.</param>
internal delegate ModelCompilerException ReadFailure(string source, string problem, Exception? inner = null);
