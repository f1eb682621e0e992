using ModelCompiler.Tokenizers;

namespace ModelCompiler.HuggingFace.Tokenizers;

/// <summary>The special tokens that a tokenizer puts around a text.</summary>
/// <param name="Begin">The id that begins a text, if there is one, whether or not it is put there.</param>
/// <param name="End">The id that ends a text, if there is one, whether or not it is put there.</param>
/// <param name="Prefix">Ids put before a text.</param>
/// <param name="Suffix">Ids put after a text.</param>
internal sealed record TokenizerMarks(int? Begin, int? End, IReadOnlyList<int> Prefix, IReadOnlyList<int> Suffix)
{
    /// <summary>Classes of Transformers 4 that build their post-processor anew, with a begin mark unless add_bos_token says otherwise.</summary>
    private static readonly string[] s_beginByDefault = ["LlamaTokenizer", "CodeLlamaTokenizer", "GemmaTokenizer", "CohereTokenizer"];

    /// <summary>
    /// Puts together what a tokenizer's files say. As in Transformers (TokenizersBackend.update_post_processor, and that of
    /// LlamaTokenizerFast): the post-processor of tokenizer.json adds the marks; add_bos_token and add_eos_token of tokenizer_config.json,
    /// where given, replace its side, and do nothing for a token that there is not.
    /// </summary>
    /// <param name="config">What the files beside the vocabulary say.</param>
    /// <param name="postProcessor">Ids that the post-processor puts before and after a text.</param>
    /// <param name="idOf">The id of a token as it is spelled.</param>
    /// <param name="isAdded">Whether a token is an added one.</param>
    /// <exception cref="TokenizerException">A mark is outside the vocabulary.</exception>
    public static TokenizerMarks Of(TokenizerConfig config, (int[] Prefix, int[] Suffix) postProcessor, Func<string, int?> idOf, Func<string, bool> isAdded)
    {
        int? begin = Id(config.BeginOfText, "bos_token", WellKnownTokens.Begin.FirstOrDefault(isAdded), idOf);
        int? end = Id(config.EndOfText, "eos_token", WellKnownTokens.End.FirstOrDefault(isAdded), idOf);
        bool byDefault = config.TokenizerClass is { } name && s_beginByDefault.Any(c => name == c || name == c + "Fast");
        return new TokenizerMarks(
            begin,
            end,
            (config.AddsBegin ?? (byDefault ? true : null)) is { } adds ? Mark(adds, begin) : postProcessor.Prefix,
            (config.AddsEnd ?? (byDefault ? false : null)) is { } addsEnd ? Mark(addsEnd, end) : postProcessor.Suffix);
    }

    private static int[] Mark(bool adds, int? id) => adds && id is { } mark ? [mark] : [];

    private static int? Id(ConfiguredToken? configured, string key, string? wellKnown, Func<string, int?> idOf) =>
        configured is not { } token ? (wellKnown is null ? null : idOf(wellKnown))
        : token.Content is null ? null
        : idOf(token.Content) ?? throw new TokenizerException(
            $"{token.File}: {key} '{token.Content}' is not in the tokenizer's vocabulary; name a token that is, or add it to the tokenizer's file");
}
