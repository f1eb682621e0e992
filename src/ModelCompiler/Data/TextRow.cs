namespace ModelCompiler.Data;

/// <summary>One row of data before it is tokens.</summary>
/// <param name="Prompt">What is given and not learned; null where all of the text is learned.</param>
/// <param name="Completion">What is learned.</param>
/// <param name="Source">Where it is from, for messages: file and line.</param>
public sealed record TextRow(string? Prompt, string Completion, string Source);
