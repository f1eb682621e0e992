using ModelCompiler.Reading;

namespace ModelCompiler.Data;

/// <summary>
/// A row that is a list of messages, OpenAI's (role and content, which may be a list of parts) or ShareGPT's (from and value). The last one,
/// the assistant's, is learned; those before are its prompt.
/// </summary>
internal static class Conversation
{
    private const string Roles = "system, user (human) and assistant (gpt)";

    /// <summary>The row of lists that follow each other; it says why where nothing can be learned from it.</summary>
    public static TextRow Read(IEnumerable<(string Key, JsonValue List)> lists, string source)
    {
        var turns = new List<(string Role, string Content)>();
        foreach ((string key, JsonValue list) in lists)
        {
            if (!list.IsList || list.Items().Any(m => !m.IsObject))
            {
                return TextRow.Unusable($"key '{key}': messages must be a list of objects with role and content", source);
            }

            foreach ((int index, JsonValue message) in list.Items().Index())
            {
                if (Turn(message, out (string Role, string Content) turn) is { } problem)
                {
                    return TextRow.Unusable($"key '{key}': message {index + 1} {problem}", source);
                }

                turns.Add(turn);
            }
        }

        return turns is [.., { Role: "assistant", Content.Length: > 0 } last]
            ? TextRow.Of(PromptTemplates.Chat(turns[..^1]), last.Content, source)
            : TextRow.Unusable("the last of the messages must be the assistant's and not empty: it is what is learned", source);
    }

    /// <summary>One message.</summary>
    /// <returns>What is wrong with it; null where nothing is.</returns>
    private static string? Turn(JsonValue message, out (string Role, string Content) turn)
    {
        turn = default;
        if ((message.Value("role") ?? message.Value("from")) is not { IsText: true } named)
        {
            return "has no role";
        }

        if (Calls(message.Value("tool_calls")) || Calls(message.Value("function_call")))
        {
            return "calls tools, which only chat templates can express; they are not supported yet";
        }

        string? role = Role(named.AsText());
        string? problem = role is null ? $"has the role '{named.AsText()}'; roles are {Roles}, and tools are not supported yet" : null;
        string content = "";
        problem ??= Content(message.Value("content") ?? message.Value("value"), out content);
        turn = (role ?? "", content);
        return problem;
    }

    private static bool Calls(JsonValue? calls) => calls is { IsObject: true } or { IsText: true } || (calls is { IsList: true } list && list.Count > 0);

    /// <summary>The role as ChatML has it; null where it is another one.</summary>
    private static string? Role(string name) => name switch
    {
        "system" or "developer" => "system",
        "user" or "human" => "user",
        "assistant" or "gpt" => "assistant",
        _ => null,
    };

    private static string? Content(JsonValue? content, out string text)
    {
        text = "";
        if (content is null)
        {
            return "has no content";
        }

        if (content.IsText)
        {
            text = content.AsText();
            return null;
        }

        if (!content.IsList)
        {
            return "has content that is neither text nor a list of parts";
        }

        foreach (JsonValue part in content.Items())
        {
            if (part.Value("type") is { IsText: true } type && type.AsText() != "text")
            {
                return $"has a part of type '{type.AsText()}'; only text can be learned";
            }

            if (part.Value("text") is not { IsText: true } piece)
            {
                return "has a part without text";
            }

            text += piece.AsText();
        }

        return null;
    }
}
