using System.Text.Json;
using ModelCompiler.Tokenizers;

namespace ModelCompiler.HuggingFace.Tokenizers;

/// <summary>A token that a configuration names.</summary>
/// <param name="Content">How it is spelled; null where the configuration says that there is none.</param>
/// <param name="File">The configuration, for messages.</param>
internal sealed record ConfiguredToken(string? Content, string File);

/// <summary>What tokenizer_config.json beside a tokenizer's file says; special_tokens_map.json where that is silent.</summary>
internal sealed record TokenizerConfig
{
    public const string FileName = "tokenizer_config.json";
    private const string OlderFileName = "special_tokens_map.json";

    /// <summary>bos_token; null where no file has the key.</summary>
    public ConfiguredToken? BeginOfText { get; init; }

    /// <summary>eos_token; null where no file has the key.</summary>
    public ConfiguredToken? EndOfText { get; init; }

    /// <summary>add_bos_token.</summary>
    public bool? AddsBegin { get; init; }

    /// <summary>add_eos_token.</summary>
    public bool? AddsEnd { get; init; }

    /// <summary>tokenizer_class.</summary>
    public string? TokenizerClass { get; init; }

    /// <summary>added_tokens_decoder: added tokens of a tokenizer without a tokenizer.json.</summary>
    public IReadOnlyList<AddedToken> AddedTokens { get; init; } = [];

    /// <summary>Reads the files in the folder of <paramref name="tokenizerPath"/>; absent ones say nothing.</summary>
    /// <exception cref="TokenizerException">A file cannot be read, or a key is of another type.</exception>
    public static TokenizerConfig Beside(string tokenizerPath)
    {
        string folder = Path.GetDirectoryName(Path.GetFullPath(tokenizerPath))!;
        TokenizerConfig config = ReadIfThere(Path.Combine(folder, FileName), Read) ?? new TokenizerConfig();
        TokenizerConfig? older = config is { BeginOfText: not null, EndOfText: not null }
            ? null
            : ReadIfThere(Path.Combine(folder, OlderFileName), Read);
        return config with { BeginOfText = config.BeginOfText ?? older?.BeginOfText, EndOfText = config.EndOfText ?? older?.EndOfText };
    }

    private static TokenizerConfig? ReadIfThere(string path, Func<JsonElement, string, TokenizerConfig> read) =>
        File.Exists(path) ? TokenizerFile.ReadJson(path, root => read(root, path)) : null;

    private static TokenizerConfig Read(JsonElement root, string path)
    {
        if (root.ValueKind != JsonValueKind.Object)
        {
            throw new TokenizerException($"{path}: must hold a JSON object");
        }

        return new TokenizerConfig
        {
            BeginOfText = Token(root, "bos_token", path),
            EndOfText = Token(root, "eos_token", path),
            AddsBegin = Flag(root, "add_bos_token", path),
            AddsEnd = Flag(root, "add_eos_token", path),
            TokenizerClass = root.TryGetProperty("tokenizer_class", out JsonElement name) && name.ValueKind == JsonValueKind.String ? name.GetString() : null,
            AddedTokens = root.TryGetProperty("added_tokens_decoder", out JsonElement tokens) && tokens.ValueKind == JsonValueKind.Object
                ? [.. tokens.EnumerateObject().Select(t => AddedTokensJson.Read(t.Value, AddedTokensJson.Id(t.Name, path), path))]
                : [],
        };
    }

    /// <summary>A text, an object with content, or null.</summary>
    private static ConfiguredToken? Token(JsonElement root, string key, string path)
    {
        if (!root.TryGetProperty(key, out JsonElement value))
        {
            return null;
        }

        JsonElement content = value.ValueKind == JsonValueKind.Object && value.TryGetProperty("content", out JsonElement inner) ? inner : value;
        return content.ValueKind switch
        {
            JsonValueKind.String => new ConfiguredToken(content.GetString(), path),
            JsonValueKind.Null => new ConfiguredToken(null, path),
            _ => throw new TokenizerException($"{path}: key '{key}' must be a token's text, an object with its content, or null, not {TokenizerFile.Shorten(value.GetRawText())}"),
        };
    }

    private static bool? Flag(JsonElement root, string key, string path) =>
        !root.TryGetProperty(key, out JsonElement value) || value.ValueKind == JsonValueKind.Null ? null
        : value.ValueKind is JsonValueKind.True or JsonValueKind.False ? value.GetBoolean()
        : throw new TokenizerException($"{path}: key '{key}' must be true or false, not {TokenizerFile.Shorten(value.GetRawText())}");
}
