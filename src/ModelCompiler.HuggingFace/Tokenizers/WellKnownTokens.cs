namespace ModelCompiler.HuggingFace.Tokenizers;

/// <summary>Usual names of the tokens that begin and end a text, for tokenizers whose files do not say.</summary>
internal static class WellKnownTokens
{
    public static IReadOnlyList<string> Begin { get; } = ["<|begin_of_text|>", "<s>", "<bos>", "<|startoftext|>"];

    public static IReadOnlyList<string> End { get; } = ["<|endoftext|>", "<|end_of_text|>", "</s>", "<eos>"];

    public static IEnumerable<string> All => Begin.Concat(End);
}
