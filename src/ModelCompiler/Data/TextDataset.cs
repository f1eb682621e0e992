using System.Text;
using System.Text.Json;

namespace ModelCompiler.Data;

/// <summary>
/// Reads rows of text: .jsonl with {text}, {prompt, completion}, {instruction, input, output} or {messages} on each line, .json with a
/// list of such rows, and .txt as one row.
/// </summary>
public static class TextDataset
{
    private static readonly UTF8Encoding s_strictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Reads all rows.</summary>
    /// <exception cref="DatasetException">The file cannot be read, is empty or of another kind, or a line is malformed; the line is named.</exception>
    public static IReadOnlyList<TextRow> Read(string path)
    {
        List<TextRow> rows = Path.GetExtension(path).ToLowerInvariant() switch
        {
            ".jsonl" => ReadLines(path),
            ".json" => ReadList(path),
            ".txt" => ReadText(path) is var text && string.IsNullOrWhiteSpace(text) ? [] : [new TextRow(null, text, path)],
            var other => throw new DatasetException($"{path}: data must be .jsonl, .json or .txt, not '{other}'"),
        };
        return rows.Count > 0 ? rows : throw new DatasetException($"{path}: the file has no data");
    }

    private static string ReadText(string path)
    {
        try
        {
            return s_strictUtf8.GetString(File.ReadAllBytes(path)).TrimStart('\uFEFF');
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new DatasetException($"{path}: cannot be read: {error.Message}", error);
        }
        catch (DecoderFallbackException error)
        {
            throw new DatasetException($"{path}: is not UTF-8 at byte {error.Index}; convert it", error);
        }
    }

    private static List<TextRow> ReadLines(string path)
    {
        var rows = new List<TextRow>();
        foreach ((int index, string line) in ReadText(path).Split('\n').Index())
        {
            if (string.IsNullOrWhiteSpace(line))
            {
                continue;
            }

            string source = $"{path}, line {index + 1}";
            using JsonDocument document = Parse(line, source);
            rows.Add(ReadRow(document.RootElement, source));
        }

        return rows;
    }

    private static List<TextRow> ReadList(string path)
    {
        using JsonDocument document = Parse(ReadText(path), path);
        return document.RootElement.ValueKind == JsonValueKind.Array
            ? [.. document.RootElement.EnumerateArray().Index().Select(r => ReadRow(r.Item, $"{path}, row {r.Index + 1}"))]
            : throw new DatasetException($"{path}: a .json file must be a list of rows; one row a line is .jsonl");
    }

    private static JsonDocument Parse(string json, string source)
    {
        try
        {
            return JsonDocument.Parse(json);
        }
        catch (JsonException error)
        {
            throw new DatasetException($"{source}: is not valid JSON: {error.Message}", error);
        }
    }

    private static TextRow ReadRow(JsonElement row, string source)
    {
        if (row.ValueKind == JsonValueKind.Object)
        {
            if (row.TryGetProperty("text", out _))
            {
                return new TextRow(null, Filled(row, "text", source), source);
            }

            if (row.TryGetProperty("prompt", out _))
            {
                return new TextRow(Text(row, "prompt", source), Filled(row, "completion", source), source);
            }

            if (row.TryGetProperty("instruction", out _))
            {
                string? input = row.TryGetProperty("input", out _) ? Text(row, "input", source) : null;
                return new TextRow(PromptTemplates.Alpaca(Text(row, "instruction", source), input), Filled(row, "output", source), source);
            }

            if (row.TryGetProperty("messages", out JsonElement messages))
            {
                return ReadMessages(messages, source);
            }
        }

        throw new DatasetException($"{source}: a row must be an object with text, with prompt and completion, with instruction and output, or with messages");
    }

    /// <summary>The last message, the assistant's, is learned; those before are its prompt.</summary>
    private static TextRow ReadMessages(JsonElement messages, string source)
    {
        (string Role, string Content)[] turns = messages.ValueKind == JsonValueKind.Array && messages.EnumerateArray().All(m => m.ValueKind == JsonValueKind.Object)
            ? [.. messages.EnumerateArray().Select(m => (Text(m, "role", source), Text(m, "content", source)))]
            : throw new DatasetException($"{source}: messages must be a list of objects with role and content");
        return turns is [.., { Role: "assistant", Content.Length: > 0 } last]
            ? TextRow.Of(PromptTemplates.Chat(turns[..^1]), last.Content, source)
            : throw new DatasetException($"{source}: the last of the messages must be the assistant's and not empty: it is what is learned");
    }

    private static string Text(JsonElement row, string key, string source)
    {
        try
        {
            return row.TryGetProperty(key, out JsonElement value) && value.ValueKind == JsonValueKind.String
                ? value.GetString()!
                : throw new DatasetException($"{source}: key '{key}' must be text");
        }
        catch (InvalidOperationException error)
        {
            throw new DatasetException($"{source}: key '{key}' holds half a surrogate pair", error);
        }
    }

    private static string Filled(JsonElement row, string key, string source) =>
        Text(row, key, source) is { Length: > 0 } text ? text : throw new DatasetException($"{source}: key '{key}' is empty, so there is nothing to learn");
}
