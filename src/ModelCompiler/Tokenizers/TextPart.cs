namespace ModelCompiler.Tokenizers;

/// <summary>A piece of a text that is encoded as one with those beside it.</summary>
/// <param name="Text">The characters.</param>
/// <param name="IsMarkup">Whether special tokens spelled in it are tokens; in user text they are text.</param>
public readonly record struct TextPart(string Text, bool IsMarkup);
