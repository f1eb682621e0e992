using System.Text;
using System.Text.Json;

namespace ModelCompiler.HuggingFace.Config;

/// <summary>Changes a key of a JSON object in its text, so that the rest stays as its author wrote it.</summary>
internal static class JsonEdit
{
    /// <summary>The text with a key of the outermost object set, or removed.</summary>
    /// <param name="json">UTF-8, one valid object.</param>
    /// <param name="key">The key; appended where absent.</param>
    /// <param name="value">Its value as JSON; null: none.</param>
    public static byte[] Set(byte[] json, string key, string? value)
    {
        int mark = json.AsSpan().StartsWith(Encoding.UTF8.Preamble) ? Encoding.UTF8.Preamble.Length : 0;
        var reader = new Utf8JsonReader(json.AsSpan(mark));
        reader.Read();
        (int Start, int End)? before = null;
        int first = -1;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            int start = mark + (int)reader.TokenStartIndex;
            first = first < 0 ? start : first;
            bool found = reader.ValueTextEquals(key);
            reader.Read();
            int valueStart = mark + (int)reader.TokenStartIndex;
            reader.Skip();
            int end = mark + (int)reader.BytesConsumed;
            if (found && value is not null)
            {
                return Splice(json, valueStart, end, value);
            }

            if (found && before is { } earlier)
            {
                return Splice(json, earlier.End, end, "");
            }

            if (found)
            {
                // The first of all goes with the comma and the space up to the next.
                return reader.Read() && reader.TokenType == JsonTokenType.PropertyName
                    ? Splice(json, start, mark + (int)reader.TokenStartIndex, "")
                    : Splice(json, start, end, "");
            }

            before = (start, end);
        }

        if (value is null)
        {
            return json;
        }

        if (before is not { } last)
        {
            return Splice(json, mark + (int)reader.TokenStartIndex, mark + (int)reader.TokenStartIndex, $"\"{key}\": {value}");
        }

        // What stands before the first key, from the line's end on, stands before this one.
        int space = first;
        while (space > 0 && json[space - 1] is (byte)' ' or (byte)'\n' or (byte)'\r' or (byte)'\t')
        {
            space--;
        }

        return Splice(json, last.End, last.End, $",{Encoding.UTF8.GetString(json, space, first - space)}\"{key}\": {value}");
    }

    private static byte[] Splice(byte[] json, int start, int end, string text) => [.. json[..start], .. Encoding.UTF8.GetBytes(text), .. json[end..]];
}
