using System.Text.Json;
using System.Text.RegularExpressions;

namespace ModelCompiler.Tokenizers;

/// <summary>Reads the pre_tokenizer of a tokenizer.json: ByteLevel, Split, Digits, or a sequence of them.</summary>
internal static class PreTokenizerJson
{
    public sealed record Steps(IReadOnlyList<string> Patterns, bool AddsPrefixSpace);

    /// <exception cref="TokenizerException">A step is not supported, or none makes bytes of the text.</exception>
    public static Steps Read(JsonElement root, string path)
    {
        var patterns = new List<string>();
        bool prefixSpace = false;
        bool byteLevel = false;
        foreach (JsonElement step in Flatten(root))
        {
            switch (step.GetProperty("type").GetString())
            {
                case "ByteLevel":
                    byteLevel = true;
                    if (Flag(step, "add_prefix_space", absent: true))
                    {
                        // Later, it would be put before every piece.
                        prefixSpace = patterns.Count == 0 ? true : throw new TokenizerException($"{path}: add_prefix_space after another pre-tokenizer is not supported");
                    }

                    if (Flag(step, "use_regex", absent: true))
                    {
                        patterns.Add(SplitPatterns.Gpt2);
                    }

                    break;
                case "Split":
                    patterns.Add(ReadSplit(step, path));
                    break;
                case "Digits":
                    patterns.Add(Flag(step, "individual_digits", absent: false) ? SplitPatterns.OneDigit : SplitPatterns.Digits);
                    break;
                case var type:
                    throw new TokenizerException($"{path}: pre-tokenizer '{type}' is not supported; only ByteLevel, Split and Digits are");
            }
        }

        return byteLevel ? new Steps(patterns, prefixSpace) : throw new TokenizerException($"{path}: has no ByteLevel pre-tokenizer; only byte-level BPE is supported");
    }

    private static IEnumerable<JsonElement> Flatten(JsonElement root)
    {
        if (!root.TryGetProperty("pre_tokenizer", out JsonElement step) || step.ValueKind == JsonValueKind.Null)
        {
            return [];
        }

        return step.GetProperty("type").GetString() == "Sequence" ? step.GetProperty("pretokenizers").EnumerateArray() : [step];
    }

    private static string ReadSplit(JsonElement step, string path)
    {
        string? behavior = step.GetProperty("behavior").GetString();
        JsonElement pattern = step.GetProperty("pattern");

        // "invert" makes gaps of matches; where both are kept, that is the same cut.
        if (behavior != "Isolated")
        {
            throw new TokenizerException($"{path}: Split with behavior '{behavior}' is not supported; only Isolated is");
        }

        return pattern.TryGetProperty("Regex", out JsonElement regex) ? regex.GetString()! : Regex.Escape(pattern.GetProperty("String").GetString()!);
    }

    private static bool Flag(JsonElement step, string name, bool absent) =>
        step.TryGetProperty(name, out JsonElement value) ? value.ValueKind == JsonValueKind.True : absent;
}
