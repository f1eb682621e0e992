using System.Globalization;
using System.Text;
using System.Text.Json;

namespace ModelCompiler.Reading;

/// <summary>
/// Parses JSON of users. What parses has unique keys and no half surrogate pair, so that every key and text of it can be read.
/// </summary>
internal static class JsonText
{
    private static readonly JsonDocumentOptions s_options = new() { AllowDuplicateProperties = false };

    /// <summary>What other languages write and JSON does not have.</summary>
    private static readonly (string Token, string Hint)[] s_foreignTokens =
    [
        ("-Infinity", "-Infinity is no number in JSON; write a number or null"),
        ("Infinity", "Infinity is no number in JSON; write a number or null"),
        ("NaN", "NaN is no number in JSON; write a number or null"),
        ("nan", "nan is no number in JSON; write a number or null"),
        ("None", "None is Python's; write null"),
        ("True", "True is Python's; write true"),
        ("False", "False is Python's; write false"),
        ("'", "text must stand in double quotes"),
        ("//", "JSON has no comments"),
        ("/*", "JSON has no comments"),
    ];

    /// <summary>Parses a text.</summary>
    /// <exception cref="ModelCompilerException">It is no JSON; the place is named.</exception>
    public static JsonValue Parse(string json, string source, ReadFailure failure) => Parse(Encoding.UTF8.GetBytes(json), source, failure);

    /// <summary>Parses the bytes of a text; they must stay as they are while values are read.</summary>
    /// <param name="bytes">The text, with or without a byte order mark.</param>
    /// <param name="source">The file and, where it holds several texts, the place of this one.</param>
    /// <param name="failure">Makes the reader's exception.</param>
    /// <exception cref="ModelCompilerException">It is no JSON; the place is named.</exception>
    public static JsonValue Parse(ReadOnlyMemory<byte> bytes, string source, ReadFailure failure)
    {
        ReadOnlyMemory<byte> text = Utf8Text.Check(bytes, source, failure);
        if (text.Span.Trim(" \t\r\n"u8).IsEmpty)
        {
            throw failure(source, "is not valid JSON: it is empty");
        }

        if (HalfSurrogate(text.Span) is { } half)
        {
            throw failure(source, $"is not valid JSON at {Utf8Text.Place(text.Span, half)}: {Encoding.ASCII.GetString(text.Span.Slice(half, 6))} is half a surrogate pair; the text is damaged");
        }

        try
        {
            // Not disposed: values live as long as their reader needs them, and what a document holds is memory alone.
            return new JsonValue(JsonDocument.Parse(text, s_options).RootElement, source, failure);
        }
        catch (JsonException error)
        {
            throw failure(source, $"is not valid JSON{Explain(text.Span, error)}", error);
        }
    }

    /// <summary>Offset of the first escape that is half a surrogate pair. A backslash stands inside text alone, so no parser is needed.</summary>
    private static int? HalfSurrogate(ReadOnlySpan<byte> json)
    {
        int at = 0;
        while (json[at..].IndexOf((byte)'\\') is >= 0 and int next)
        {
            at += next;
            if (CodeUnit(json[at..]) is not { } unit)
            {
                at = Math.Min(at + 2, json.Length);
                continue;
            }

            bool pair = char.IsHighSurrogate(unit) && CodeUnit(json[(at + 6)..]) is { } second && char.IsLowSurrogate(second);
            if (char.IsSurrogate(unit) && !pair)
            {
                return at;
            }

            at += pair ? 12 : 6;
        }

        return null;
    }

    private static char? CodeUnit(ReadOnlySpan<byte> escape) =>
        escape is [(byte)'\\', (byte)'u', _, _, _, _, ..] && ushort.TryParse(escape.Slice(2, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ushort unit)
            ? (char)unit
            : null;

    private static string Explain(ReadOnlySpan<byte> json, JsonException error)
    {
        string problem = error.Message.Split([" LineNumber:", " Path:"], StringSplitOptions.None)[0].TrimEnd('.');
        if (error.LineNumber is not { } line || error.BytePositionInLine is not { } position)
        {
            return $": {problem}";
        }

        int offset = 0;
        for (long i = 0; i < line; i++)
        {
            offset += json[offset..].IndexOf((byte)'\n') + 1;
        }

        offset = (int)Math.Min(offset + position, json.Length);
        return $" at {Utf8Text.Place(json, offset)}: {ForeignToken(json, offset) ?? problem}";
    }

    private static string? ForeignToken(ReadOnlySpan<byte> json, int offset)
    {
        int start = offset > 0 && json[offset - 1] == '-' ? offset - 1 : offset;
        foreach ((string token, string hint) in s_foreignTokens)
        {
            if (json[start..].StartsWith(Encoding.ASCII.GetBytes(token)))
            {
                return hint;
            }
        }

        return null;
    }
}
