namespace ModelCompiler.Tokenizers;

/// <summary>What a byte-level BPE file says, whatever its format.</summary>
internal sealed record BpeDefinition
{
    /// <summary>The file, for messages.</summary>
    public required string Source { get; init; }

    /// <summary>Ids of tokens, written in the byte alphabet.</summary>
    public required IReadOnlyDictionary<string, int> Vocabulary { get; init; }

    /// <summary>Pairs that merge, the first of highest priority.</summary>
    public required IReadOnlyList<(string Left, string Right)> Merges { get; init; }

    public IReadOnlyList<AddedToken> AddedTokens { get; init; } = [];

    /// <summary>Patterns of the pre-tokenizer in order.</summary>
    public IReadOnlyList<string> Patterns { get; init; } = [SplitPatterns.Gpt2];

    public bool ComposesCanonically { get; init; }

    /// <summary>Whether a word that is a token is taken as it is, unmerged.</summary>
    public bool IgnoresMerges { get; init; }

    public bool AddsPrefixSpace { get; init; }

    public string? BeginOfText { get; init; }

    public string? EndOfText { get; init; }
}
