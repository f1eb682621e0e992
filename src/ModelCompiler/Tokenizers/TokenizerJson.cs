using System.Text.Encodings.Web;
using System.Text.Json;

namespace ModelCompiler.Tokenizers;

/// <summary>Reads and writes the Hugging Face tokenizer.json of a byte-level BPE.</summary>
internal static class TokenizerJson
{
    private const int LargestId = 1 << 24;

    /// <exception cref="TokenizerException">The file cannot be read, is damaged, or asks for something that is not supported.</exception>
    public static BpeDefinition Read(string path)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(TokenizerFile.ReadBytes(path));
            return WellKnownTokens.Mark(Read(document.RootElement, path), path);
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException or KeyNotFoundException or FormatException)
        {
            throw new TokenizerException($"{path}: is not a valid tokenizer.json: {error.Message}", error);
        }
    }

    public static byte[] Write(BpeDefinition definition)
    {
        using var buffer = new MemoryStream();
        var options = new JsonWriterOptions { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
        using (var json = new Utf8JsonWriter(buffer, options))
        {
            json.WriteStartObject();
            json.WriteString("version", "1.0");
            json.WriteNull("truncation");
            json.WriteNull("padding");
            WriteAddedTokens(json, definition.AddedTokens);
            WriteNormalizer(json, definition);
            WritePreTokenizer(json, definition);
            WriteByteLevel(json, "post_processor", prefixSpace: false, useRegex: true);
            WriteByteLevel(json, "decoder", prefixSpace: false, useRegex: true);
            WriteModel(json, definition);
            json.WriteEndObject();
        }

        return buffer.ToArray();
    }

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
        foreach (JsonProperty token in element.EnumerateObject())
        {
            if (token.Value.ValueKind != JsonValueKind.Number || !token.Value.TryGetInt32(out int id) || id is < 0 or > LargestId || !seen.Add(id))
            {
                throw new TokenizerException($"{path}: token '{token.Name}' must have a whole id of its own from 0 to {LargestId}, not {token.Value.GetRawText()}");
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

        PreTokenizerJson.Steps steps = PreTokenizerJson.Read(root, path);
        return new BpeDefinition
        {
            Source = path,
            Vocabulary = ReadVocabulary(model.GetProperty("vocab"), path),
            Merges = ReadMerges(model.GetProperty("merges"), path),
            AddedTokens = ReadAddedTokens(root, path),
            Patterns = steps.Patterns,
            AddsPrefixSpace = steps.AddsPrefixSpace,
            ComposesCanonically = ReadNormalizer(root, path),
            IgnoresMerges = model.TryGetProperty("ignore_merges", out JsonElement ignore) && ignore.ValueKind == JsonValueKind.True,
        };
    }

    private static List<(string, string)> ReadMerges(JsonElement element, string path)
    {
        var merges = new List<(string, string)>(element.GetArrayLength());
        foreach (JsonElement merge in element.EnumerateArray())
        {
            (string, string)? pair = merge.ValueKind switch
            {
                JsonValueKind.String => SplitMerge(merge.GetString()!),
                JsonValueKind.Array when merge.GetArrayLength() == 2 => (merge[0].GetString()!, merge[1].GetString()!),
                _ => null,
            };
            merges.Add(pair ?? throw new TokenizerException($"{path}: merge {merges.Count + 1} must be \"a b\" or [\"a\", \"b\"], not {merge.GetRawText()}"));
        }

        return merges;
    }

    private static List<AddedToken> ReadAddedTokens(JsonElement root, string path)
    {
        var tokens = new List<AddedToken>();
        if (!root.TryGetProperty("added_tokens", out JsonElement array) || array.ValueKind != JsonValueKind.Array)
        {
            return tokens;
        }

        foreach (JsonElement element in array.EnumerateArray())
        {
            bool Flag(string name) => element.TryGetProperty(name, out JsonElement flag) && flag.ValueKind == JsonValueKind.True;

            string content = element.GetProperty("content").GetString() ?? "";
            int id = element.GetProperty("id").GetInt32();
            if (Flag("single_word") || id is < 0 or > LargestId)
            {
                throw new TokenizerException($"{path}: added token '{content}' must have an id from 0 to {LargestId} and not be single_word");
            }

            tokens.Add(new AddedToken(id, content, Flag("special"), Flag("normalized"), Flag("lstrip"), Flag("rstrip")));
        }

        return tokens;
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

    private static void WriteAddedTokens(Utf8JsonWriter json, IReadOnlyList<AddedToken> tokens)
    {
        json.WriteStartArray("added_tokens");
        foreach (AddedToken token in tokens.OrderBy(t => t.Id))
        {
            json.WriteStartObject();
            json.WriteNumber("id", token.Id);
            json.WriteString("content", token.Content);
            json.WriteBoolean("single_word", false);
            json.WriteBoolean("lstrip", token.StripLeft);
            json.WriteBoolean("rstrip", token.StripRight);
            json.WriteBoolean("normalized", token.Normalized);
            json.WriteBoolean("special", token.Special);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteNormalizer(Utf8JsonWriter json, BpeDefinition definition)
    {
        if (!definition.ComposesCanonically)
        {
            json.WriteNull("normalizer");
            return;
        }

        json.WriteStartObject("normalizer");
        json.WriteString("type", "NFC");
        json.WriteEndObject();
    }

    private static void WritePreTokenizer(Utf8JsonWriter json, BpeDefinition definition)
    {
        if (definition.Patterns is [SplitPatterns.Gpt2])
        {
            WriteByteLevel(json, "pre_tokenizer", definition.AddsPrefixSpace, useRegex: true);
            return;
        }

        json.WriteStartObject("pre_tokenizer");
        json.WriteString("type", "Sequence");
        json.WriteStartArray("pretokenizers");
        if (definition.AddsPrefixSpace)
        {
            WriteByteLevel(json, null, prefixSpace: true, useRegex: false);
        }

        foreach (string pattern in definition.Patterns)
        {
            json.WriteStartObject();
            json.WriteString("type", "Split");
            json.WriteStartObject("pattern");
            json.WriteString("Regex", pattern);
            json.WriteEndObject();
            json.WriteString("behavior", "Isolated");
            json.WriteBoolean("invert", false);
            json.WriteEndObject();
        }

        WriteByteLevel(json, null, prefixSpace: false, useRegex: false);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteByteLevel(Utf8JsonWriter json, string? name, bool prefixSpace, bool useRegex)
    {
        if (name is null)
        {
            json.WriteStartObject();
        }
        else
        {
            json.WriteStartObject(name);
        }

        json.WriteString("type", "ByteLevel");
        json.WriteBoolean("add_prefix_space", prefixSpace);
        json.WriteBoolean("trim_offsets", false);
        json.WriteBoolean("use_regex", useRegex);
        json.WriteEndObject();
    }

    private static void WriteModel(Utf8JsonWriter json, BpeDefinition definition)
    {
        json.WriteStartObject("model");
        json.WriteString("type", "BPE");
        json.WriteNull("dropout");
        json.WriteNull("unk_token");
        json.WriteString("continuing_subword_prefix", "");
        json.WriteString("end_of_word_suffix", "");
        json.WriteBoolean("fuse_unk", false);
        json.WriteBoolean("byte_fallback", false);
        json.WriteBoolean("ignore_merges", definition.IgnoresMerges);
        json.WriteStartObject("vocab");
        foreach ((string token, int id) in definition.Vocabulary.OrderBy(t => t.Value))
        {
            json.WriteNumber(token, id);
        }

        json.WriteEndObject();
        json.WriteStartArray("merges");
        foreach ((string left, string right) in definition.Merges)
        {
            json.WriteStringValue($"{left} {right}");
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }
}
