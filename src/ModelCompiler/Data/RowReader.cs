using ModelCompiler.Reading;

namespace ModelCompiler.Data;

/// <summary>Makes a row of a JSON object: of the forms it could have, the first that is whole.</summary>
internal static class RowReader
{
    private const string Needed = "a row needs messages, prompt and completion, instruction and output, or text";

    private static readonly Func<JsonValue, TextRow?>[] s_forms =
    [
        row => Messages(row, "messages"),
        row => Messages(row, "conversations"),
        Prompted,
        Instructed,
        row => row.Value("text") is { } text ? Learned(row, null, "text", text) : null,
    ];

    /// <summary>The row; one that nothing can be learned from says why.</summary>
    /// <exception cref="DatasetException">It is no JSON object.</exception>
    public static TextRow Read(JsonValue row)
    {
        row.RequireObject("a JSON object");
        TextRow? unusable = null;
        foreach (Func<JsonValue, TextRow?> form in s_forms)
        {
            TextRow? found = form(row);
            if (found is { Problem: null })
            {
                return found;
            }

            unusable ??= found;
        }

        string[] keys = [.. row.Members().Where(m => m.Value.Kind != System.Text.Json.JsonValueKind.Null).Select(m => m.Key).Take(8)];
        return unusable ?? TextRow.Unusable($"{Needed}; it has {(keys.Length > 0 ? string.Join(", ", keys) : "nothing")}", row.Source);
    }

    private static TextRow? Messages(JsonValue row, string key) =>
        row.Value(key) is { } messages ? Conversation.Read([(key, messages)], row.Source) : null;

    private static TextRow? Prompted(JsonValue row)
    {
        if (row.Value("prompt") is not { } prompt)
        {
            return row.Value("completion") is null ? null : TextRow.Unusable("key 'prompt' is missing; for text that is learned as a whole use key 'text'", row.Source);
        }

        return row.Value("completion") is not { } completion ? TextRow.Unusable("key 'completion' is missing, so there is nothing to learn", row.Source)
            : prompt.IsList && completion.IsList ? Conversation.Read([("prompt", prompt), ("completion", completion)], row.Source)
            : !prompt.IsText ? NoText("prompt", prompt, row.Source)
            : Learned(row, prompt.AsText(), "completion", completion);
    }

    private static TextRow? Instructed(JsonValue row)
    {
        if (row.Value("instruction") is not { } instruction)
        {
            return null;
        }

        JsonValue? input = row.Value("input");
        return !instruction.IsText ? NoText("instruction", instruction, row.Source)
            : input is { IsText: false } ? NoText("input", input, row.Source)
            : row.Value("output") is not { } output ? TextRow.Unusable("key 'output' is missing, so there is nothing to learn", row.Source)
            : Learned(row, PromptTemplates.Alpaca(instruction.AsText(), input?.AsText()), "output", output);
    }

    private static TextRow Learned(JsonValue row, string? prompt, string key, JsonValue value) =>
        !value.IsText ? NoText(key, value, row.Source)
        : value.AsText() is { Length: > 0 } text ? new TextRow(prompt, text, row.Source)
        : TextRow.Unusable($"key '{key}' is empty, so there is nothing to learn", row.Source);

    private static TextRow NoText(string key, JsonValue value, string source) =>
        TextRow.Unusable($"key '{key}' must be text, not {Shorten(value.RawText)}", source);

    private static string Shorten(string text) => text.Length <= 60 ? text : text[..60] + "...";
}
