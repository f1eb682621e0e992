using System.Text.Json;
using ModelCompiler.Tokenizers;

namespace ModelCompiler.HuggingFace.Tokenizers;

/// <summary>Reads the pre_tokenizer of a tokenizer.json: ByteLevel, Split, Digits, or a sequence of them.</summary>
internal static class PreTokenizerJson
{
    private const int DeepestSequence = 16;

    public sealed record Steps(IReadOnlyList<SplitStep> Splits, bool AddsPrefixSpace);

    /// <exception cref="TokenizerException">A step is not supported, or none makes bytes of the text.</exception>
    public static Steps Read(JsonElement root, string path)
    {
        var splits = new List<SplitStep>();
        bool prefixSpace = false;
        bool byteLevel = false;
        foreach (JsonElement step in Flatten(root))
        {
            string? type = step.GetProperty("type").GetString();
            if (byteLevel)
            {
                // It would cut the characters that stand for bytes.
                throw new TokenizerException($"{path}: pre-tokenizer '{type}' after ByteLevel is not supported");
            }

            switch (type)
            {
                case "ByteLevel":
                    byteLevel = true;
                    if (Flag(step, "add_prefix_space", absent: true))
                    {
                        // Later, it would be put before every piece.
                        prefixSpace = splits.Count == 0 ? true : throw new TokenizerException($"{path}: add_prefix_space after another pre-tokenizer is not supported");
                    }

                    if (Flag(step, "use_regex", absent: true))
                    {
                        splits.Add(SplitStep.Isolated(SplitPatterns.Gpt2));
                    }

                    break;
                case "Split":
                    splits.Add(ReadSplit(step, path));
                    break;
                case "Digits":
                    splits.Add(SplitStep.Isolated(Flag(step, "individual_digits", absent: false) ? SplitPatterns.OneDigit : SplitPatterns.Digits));
                    break;
                default:
                    throw new TokenizerException($"{path}: pre-tokenizer '{type}' is not supported; only ByteLevel, Split and Digits are");
            }
        }

        return byteLevel ? new Steps(splits, prefixSpace) : throw new TokenizerException($"{path}: has no ByteLevel pre-tokenizer; only byte-level BPE is supported");
    }

    private static IEnumerable<JsonElement> Flatten(JsonElement root) =>
        root.TryGetProperty("pre_tokenizer", out JsonElement step) && step.ValueKind != JsonValueKind.Null ? Flatten(step, 0) : [];

    private static IEnumerable<JsonElement> Flatten(JsonElement step, int depth) =>
        step.GetProperty("type").GetString() == "Sequence" && depth < DeepestSequence
            ? step.GetProperty("pretokenizers").EnumerateArray().SelectMany(s => Flatten(s, depth + 1))
            : [step];

    private static SplitStep ReadSplit(JsonElement step, string path)
    {
        string? name = step.GetProperty("behavior").GetString();
        if (!Enum.TryParse(name, out SplitBehavior behavior) || behavior.ToString() != name)
        {
            throw new TokenizerException($"{path}: Split with behavior '{name}' is not supported; only {string.Join(", ", Enum.GetNames<SplitBehavior>())} are");
        }

        JsonElement pattern = step.GetProperty("pattern");
        return new SplitStep(
            pattern.TryGetProperty("Regex", out JsonElement regex) ? TokenizerFile.Text(regex) : OnigurumaPattern.Escape(TokenizerFile.Text(pattern.GetProperty("String"))),
            behavior,
            Flag(step, "invert", absent: false));
    }

    private static bool Flag(JsonElement step, string name, bool absent) =>
        step.TryGetProperty(name, out JsonElement value) ? value.ValueKind == JsonValueKind.True : absent;
}
