using ModelCompiler.Reading;

namespace ModelCompiler.Data;

/// <summary>
/// Reads rows of text: .jsonl with {text}, {prompt, completion}, {instruction, input, output} or {messages} on each line, .json with a
/// list of such rows, and .txt as one row.
/// </summary>
public static class TextDataset
{
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

    private static string ReadText(string path) => UserFile.ReadText(path, DatasetException.In);

    private static List<TextRow> ReadLines(string path)
    {
        var rows = new List<TextRow>();
        foreach ((int index, string line) in ReadText(path).Split('\n').Index())
        {
            if (!string.IsNullOrWhiteSpace(line))
            {
                rows.Add(ReadRow(JsonText.Parse(line, $"{path}, line {index + 1}", DatasetException.In)));
            }
        }

        return rows;
    }

    private static List<TextRow> ReadList(string path)
    {
        JsonValue list = UserFile.ReadJson(path, DatasetException.In);
        return list.IsList
            ? [.. list.Items().Select((row, index) => ReadRow(row.At($"{path}, row {index + 1}")))]
            : throw new DatasetException($"{path}: a .json file must be a list of rows; one row a line is .jsonl");
    }

    private static TextRow ReadRow(JsonValue row)
    {
        if (row.Value("text") is not null)
        {
            return new TextRow(null, Filled(row, "text"), row.Source);
        }

        if (row.Value("prompt") is { } prompt)
        {
            return new TextRow(prompt.AsText(), Filled(row, "completion"), row.Source);
        }

        if (row.Value("instruction") is { } instruction)
        {
            return new TextRow(PromptTemplates.Alpaca(instruction.AsText(), row.Text("input")), Filled(row, "output"), row.Source);
        }

        return row.Value("messages") is { } messages
            ? ReadMessages(messages)
            : throw row.Error("a row must be an object with text, with prompt and completion, with instruction and output, or with messages");
    }

    /// <summary>The last message, the assistant's, is learned; those before are its prompt.</summary>
    private static TextRow ReadMessages(JsonValue messages)
    {
        const string turn = "an object with role and content";
        (string Role, string Content)[] turns =
            [.. messages.RequireList("a list of objects with role and content").Items().Select(m => (m.RequireObject(turn).Required("role", "text").AsText(), m.Required("content", "text").AsText()))];
        return turns is [.., { Role: "assistant", Content.Length: > 0 } last]
            ? TextRow.Of(PromptTemplates.Chat(turns[..^1]), last.Content, messages.Source)
            : throw messages.Error("must end with the assistant's, not empty: it is what is learned");
    }

    private static string Filled(JsonValue row, string key) =>
        row.Required(key, "text").AsText() is { Length: > 0 } text ? text : throw row.Required(key).Error("is empty, so there is nothing to learn");
}
