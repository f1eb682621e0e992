using System.Text.Json;

namespace ModelCompiler.Checkpoints;

/// <summary>A JSON file that holds one object, read key by key; every error names the file and the key.</summary>
internal sealed class JsonObjectFile
{
    private readonly JsonElement _root;

    private JsonObjectFile(string path, JsonElement root)
    {
        Path = path;
        _root = root;
    }

    public string Path { get; }

    public IEnumerable<string> Keys => _root.EnumerateObject().Select(p => p.Name);

    /// <exception cref="CheckpointException">The file cannot be read or holds no JSON object.</exception>
    public static JsonObjectFile Read(string path)
    {
        try
        {
            var options = new JsonDocumentOptions { AllowDuplicateProperties = false };
            using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(path), options);
            return document.RootElement.ValueKind == JsonValueKind.Object
                ? new JsonObjectFile(path, document.RootElement.Clone())
                : throw new CheckpointException(path, "must hold a JSON object");
        }
        catch (Exception error) when (error is JsonException or IOException or UnauthorizedAccessException)
        {
            throw new CheckpointException(path, $"cannot be read: {error.Message}", error);
        }
    }

    /// <summary>The value of a key, unless it is absent or null.</summary>
    public JsonElement? Value(string key) =>
        _root.TryGetProperty(key, out JsonElement value) && value.ValueKind != JsonValueKind.Null ? value : null;

    public string? Text(string key) => Get(key, JsonValueKind.String, "text", e => e.GetString());

    public bool? Flag(string key) => Value(key) switch
    {
        null => null,
        { ValueKind: JsonValueKind.True } => true,
        { ValueKind: JsonValueKind.False } => false,
        _ => throw Wrong(key, "true or false"),
    };

    public int? Integer(string key) =>
        Value(key) is not { } value ? null
        : value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out int integer) ? integer
        : throw Wrong(key, "a whole number");

    public double? Number(string key) => Value(key) is not { } value ? null : Number(key, value);

    public double Number(string key, JsonElement value) =>
        value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out double number) && double.IsFinite(number)
            ? number
            : throw Wrong(key, "a number");

    public JsonElement RequiredObject(string key) =>
        Value(key) is { ValueKind: JsonValueKind.Object } value ? value : throw Wrong(key, "an object");

    public CheckpointException Wrong(string key, string expected) =>
        new(Path, $"key '{key}' must be {expected}" + (Value(key) is { } value ? $", not {Shorten(value.GetRawText())}" : "; it is missing"));

    private static string Shorten(string text) => text.Length <= 60 ? text : text[..60] + "...";

    private T? Get<T>(string key, JsonValueKind kind, string expected, Func<JsonElement, T?> read)
        where T : class =>
        Value(key) is not { } value ? null : value.ValueKind == kind ? read(value) : throw Wrong(key, expected);
}
