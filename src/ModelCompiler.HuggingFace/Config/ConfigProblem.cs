namespace ModelCompiler.HuggingFace.Config;

/// <summary>One thing that a config.json says and a description does not.</summary>
/// <param name="Text">What, with key and value.</param>
/// <param name="Keys">The keys by which a user may choose to ignore it.</param>
internal sealed record ConfigProblem(string Text, params string[] Keys);
