using System.Text.Json;

namespace ModelCompiler.Tokenizers;

/// <summary>Which tokens begin and end a text: what tokenizer_config.json says, else by their usual names.</summary>
internal static class WellKnownTokens
{
    private static readonly string[] s_begin = ["<|begin_of_text|>", "<s>", "<bos>", "<|startoftext|>"];
    private static readonly string[] s_end = ["<|endoftext|>", "<|end_of_text|>", "</s>", "<eos>"];

    public static IEnumerable<string> All => s_begin.Concat(s_end);

    /// <summary>Sets both marks from the names of added tokens.</summary>
    public static BpeDefinition Mark(BpeDefinition definition)
    {
        HashSet<string> added = [.. definition.AddedTokens.Select(t => t.Content)];
        return definition with { BeginOfText = s_begin.FirstOrDefault(added.Contains), EndOfText = s_end.FirstOrDefault(added.Contains) };
    }

    /// <summary>Sets both marks from the configuration beside <paramref name="tokenizerPath"/>, if there is one.</summary>
    /// <exception cref="TokenizerException">The configuration is not JSON.</exception>
    public static BpeDefinition Mark(BpeDefinition definition, string tokenizerPath)
    {
        string path = Path.Combine(Path.GetDirectoryName(tokenizerPath) ?? "", "tokenizer_config.json");
        if (!File.Exists(path))
        {
            return Mark(definition);
        }

        try
        {
            using JsonDocument document = JsonDocument.Parse(TokenizerFile.ReadBytes(path));
            return definition with
            {
                BeginOfText = Content(document.RootElement, "bos_token"),
                EndOfText = Content(document.RootElement, "eos_token"),
            };
        }
        catch (JsonException error)
        {
            throw new TokenizerException($"{path}: is not valid JSON: {error.Message}", error);
        }
    }

    private static string? Content(JsonElement root, string key) =>
        root.ValueKind != JsonValueKind.Object || !root.TryGetProperty(key, out JsonElement value) ? null
        : value.ValueKind == JsonValueKind.String ? value.GetString()
        : value.ValueKind == JsonValueKind.Object && value.TryGetProperty("content", out JsonElement content) && content.ValueKind == JsonValueKind.String ? content.GetString()
        : null;
}
