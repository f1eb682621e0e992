using ModelCompiler.Tokenizers;

namespace ModelCompiler.Data;

/// <summary>One row of data before it is tokens.</summary>
/// <param name="Prompt">What is given and not learned; null where all of the text is learned.</param>
/// <param name="Completion">What is learned.</param>
/// <param name="Source">Where it is from, for messages: file and line.</param>
public sealed record TextRow(string? Prompt, string Completion, string Source)
{
    private readonly IReadOnlyList<TextPart>? _promptParts;

    /// <summary>The prompt in parts: user text, and the markup of the row's format, whose special tokens are tokens.</summary>
    public IReadOnlyList<TextPart> PromptParts
    {
        get => _promptParts ?? (Prompt is null ? [] : [new TextPart(Prompt, IsMarkup: false)]);
        init => _promptParts = value;
    }

    /// <summary>A row whose format puts markup around user text.</summary>
    /// <param name="prompt">The prompt's parts.</param>
    /// <param name="completion">What is learned.</param>
    /// <param name="source">Where it is from, for messages: file and line.</param>
    public static TextRow Of(IReadOnlyList<TextPart> prompt, string completion, string source) =>
        new(string.Concat(prompt.Select(p => p.Text)), completion, source) { PromptParts = prompt };

    /// <summary>Why nothing can be learned from the row; null where something can.</summary>
    public string? Problem { get; init; }

    /// <summary>A row that nothing can be learned from.</summary>
    /// <param name="problem">Why.</param>
    /// <param name="source">Where it is from, for messages: file and line.</param>
    public static TextRow Unusable(string problem, string source) => new(null, "", source) { Problem = problem };
}
