namespace ModelCompiler.HuggingFace.Tokenizers;

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

    /// <summary>Steps of the pre-tokenizer in order.</summary>
    public IReadOnlyList<SplitStep> Splits { get; init; } = [SplitStep.Isolated(SplitPatterns.Gpt2)];

    public bool ComposesCanonically { get; init; }

    /// <summary>Whether a word that is a token is taken as it is, unmerged.</summary>
    public bool IgnoresMerges { get; init; }

    public bool AddsPrefixSpace { get; init; }

    /// <summary>Ids that the post-processor puts before a text.</summary>
    public int[] Prefix { get; init; } = [];

    /// <summary>Ids that the post-processor puts after a text.</summary>
    public int[] Suffix { get; init; } = [];

    /// <summary>What the files beside it say.</summary>
    public TokenizerConfig Configuration { get; init; } = new();

    /// <summary>How a token is spelled.</summary>
    public string Spelling(int id) =>
        AddedTokens.FirstOrDefault(t => t.Id == id)?.Content ?? Vocabulary.First(t => t.Value == id).Key;
}
