using System.Text.Json;
using ModelCompiler.Tokenizers;

namespace ModelCompiler.HuggingFace.Tokenizers;

/// <summary>Reads the Hugging Face tokenizer.json of a byte-level BPE.</summary>
internal static class TokenizerJson
{
    /// <summary>A vocabulary may have holes, but not so many that tables by id are out of proportion to the file.</summary>
    private static long IdLimit(int count) => 2L * count + (1 << 16);

    /// <exception cref="TokenizerException">The file cannot be read, is damaged, or asks for something that is not supported.</exception>
    public static BpeDefinition Read(string path) =>
        TokenizerFile.ReadJson(path, root => Read(root, path)) with { Configuration = TokenizerConfig.Beside(path) };

    /// <summary>An object of token to id.</summary>
    /// <exception cref="TokenizerException">It is something else, or an id occurs twice or is out of range.</exception>
    public static Dictionary<string, int> ReadVocabulary(JsonElement element, string path)
    {
        if (element.ValueKind != JsonValueKind.Object)
        {
            throw new TokenizerException($"{path}: the vocabulary must be an object of token to id");
        }

        var vocabulary = new Dictionary<string, int>(StringComparer.Ordinal);
        var seen = new HashSet<int>();
        long limit = IdLimit(element.GetPropertyCount());
        foreach (JsonProperty token in element.EnumerateObject())
        {
            if (token.Value.ValueKind != JsonValueKind.Number || !token.Value.TryGetInt32(out int id) || id < 0 || id >= limit || !seen.Add(id) || vocabulary.ContainsKey(token.Name))
            {
                throw new TokenizerException($"{path}: token '{token.Name}' must occur once and have a whole id of its own from 0 to {limit - 1}, not {TokenizerFile.Shorten(token.Value.GetRawText())}");
            }

            vocabulary[token.Name] = id;
        }

        return vocabulary.Count > 0 ? vocabulary : throw new TokenizerException($"{path}: the vocabulary is empty");
    }

    /// <summary>The two tokens of "a b".</summary>
    public static (string, string)? SplitMerge(string merge) =>
        merge.Split(' ') is [{ Length: > 0 } left, { Length: > 0 } right] ? (left, right) : null;

    private static BpeDefinition Read(JsonElement root, string path)
    {
        JsonElement model = root.GetProperty("model");
        string type = model.TryGetProperty("type", out JsonElement typeElement) ? typeElement.GetString() ?? "" : "BPE";
        if (type != "BPE")
        {
            throw new TokenizerException($"{path}: model type '{type}' is not supported; only byte-level BPE is");
        }

        foreach (string option in new[] { "continuing_subword_prefix", "end_of_word_suffix" })
        {
            if (model.TryGetProperty(option, out JsonElement value) && value.ValueKind == JsonValueKind.String && value.GetString() != "")
            {
                throw new TokenizerException($"{path}: {option} '{value.GetString()}' is not supported");
            }
        }

        if (model.TryGetProperty("byte_fallback", out JsonElement fallback) && fallback.ValueKind == JsonValueKind.True)
        {
            throw new TokenizerException($"{path}: a SentencePiece-like BPE with byte_fallback is not supported; only byte-level BPE is");
        }

        if (model.TryGetProperty("dropout", out JsonElement dropout) && dropout.ValueKind == JsonValueKind.Number && dropout.GetDouble() != 0)
        {
            throw new TokenizerException($"{path}: dropout {dropout.GetRawText()} is not supported; it makes ids a matter of chance");
        }

        PreTokenizerJson.Steps steps = PreTokenizerJson.Read(root, path);
        Dictionary<string, int> vocabulary = ReadVocabulary(model.GetProperty("vocab"), path);
        (int[] prefix, int[] suffix) = PostProcessorJson.Read(root, path);
        return new BpeDefinition
        {
            Source = path,
            Vocabulary = vocabulary,
            Merges = ReadMerges(model.GetProperty("merges"), path),
            AddedTokens = AddedTokensJson.Read(root, vocabulary, path),
            Splits = steps.Splits,
            AddsPrefixSpace = steps.AddsPrefixSpace,
            ComposesCanonically = ReadNormalizer(root, path),
            IgnoresMerges = model.TryGetProperty("ignore_merges", out JsonElement ignore) && ignore.ValueKind == JsonValueKind.True,
            Prefix = prefix,
            Suffix = suffix,
        };
    }

    private static List<(string, string)> ReadMerges(JsonElement element, string path)
    {
        var merges = new List<(string, string)>(element.GetArrayLength());
        foreach (JsonElement merge in element.EnumerateArray())
        {
            (string, string)? pair = merge.ValueKind switch
            {
                JsonValueKind.String => SplitMerge(TokenizerFile.Text(merge)),
                JsonValueKind.Array when merge.GetArrayLength() == 2 => (TokenizerFile.Text(merge[0]), TokenizerFile.Text(merge[1])),
                _ => null,
            };
            merges.Add(pair ?? throw new TokenizerException($"{path}: merge {merges.Count + 1} must be \"a b\" or [\"a\", \"b\"], not {merge.GetRawText()}"));
        }

        return merges;
    }

    private static bool ReadNormalizer(JsonElement root, string path)
    {
        if (!root.TryGetProperty("normalizer", out JsonElement normalizer) || normalizer.ValueKind == JsonValueKind.Null)
        {
            return false;
        }

        string? type = normalizer.GetProperty("type").GetString();
        if (type == "Sequence" && normalizer.GetProperty("normalizers") is { } steps && steps.EnumerateArray().All(s => s.GetProperty("type").GetString() == "NFC"))
        {
            return steps.GetArrayLength() > 0;
        }

        return type == "NFC" ? true : throw new TokenizerException($"{path}: normalizer '{type}' is not supported; only NFC is");
    }
}
