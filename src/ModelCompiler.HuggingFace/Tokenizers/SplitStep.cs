namespace ModelCompiler.HuggingFace.Tokenizers;

/// <summary>What becomes of the matches of a pattern that cuts text, in Hugging Face's words.</summary>
internal enum SplitBehavior
{
    /// <summary>Each match is a piece.</summary>
    Isolated,

    /// <summary>Matches are left out.</summary>
    Removed,

    /// <summary>A match belongs to the piece before it.</summary>
    MergedWithPrevious,

    /// <summary>A match belongs to the piece after it.</summary>
    MergedWithNext,

    /// <summary>Neighboring matches are one piece.</summary>
    Contiguous,
}

/// <summary>A step of a pre-tokenizer: a pattern that cuts text.</summary>
/// <param name="Pattern">The pattern, in Oniguruma's syntax as Hugging Face's library uses it.</param>
/// <param name="Behavior">What becomes of its matches.</param>
/// <param name="Inverted">Whether what lies between matches counts as the matches.</param>
internal sealed record SplitStep(string Pattern, SplitBehavior Behavior, bool Inverted)
{
    /// <summary>A step that keeps matches and what lies between them as pieces.</summary>
    public static SplitStep Isolated(string pattern) => new(pattern, SplitBehavior.Isolated, Inverted: false);
}
