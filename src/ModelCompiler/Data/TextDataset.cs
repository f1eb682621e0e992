using ModelCompiler.Reading;

namespace ModelCompiler.Data;

/// <summary>
/// Reads rows of text: .jsonl or .json with one JSON object a line or one list of objects, and .txt as one row. Of the forms below a row has
/// the first that is whole; a key whose value is null is absent, and other keys are ignored.
/// <list type="number">
/// <item><c>messages</c> or <c>conversations</c>: objects with role and content, or from and value; the last one, the assistant's, is learned.</item>
/// <item><c>prompt</c> and <c>completion</c>: texts, or lists of messages.</item>
/// <item><c>instruction</c>, <c>input</c> where there is any, and <c>output</c>.</item>
/// <item><c>text</c>, all of which is learned.</item>
/// </list>
/// </summary>
public static class TextDataset
{
    /// <summary>Reads all rows.</summary>
    /// <exception cref="DatasetException">As <see cref="Enumerate"/> says.</exception>
    public static IReadOnlyList<TextRow> Read(string path) => [.. Enumerate(path)];

    /// <summary>Reads row after row; nothing of a row is held once the next is asked for. One that nothing can be learned from says why.</summary>
    /// <exception cref="DatasetException">
    /// The file cannot be read, is empty or of another kind, or holds something that is no JSON object; the line is named.
    /// </exception>
    public static IEnumerable<TextRow> Enumerate(string path)
    {
        bool any = false;
        foreach (TextRow row in Rows(path))
        {
            any = true;
            yield return row;
        }

        if (!any)
        {
            throw new DatasetException($"{path}: the file has no data");
        }
    }

    private static IEnumerable<TextRow> Rows(string path)
    {
        byte[] start = UserFile.ReadStart(path, DatasetException.In);
        string extension = Path.GetExtension(path).ToLowerInvariant();
        if (extension == ".txt")
        {
            string text = UserFile.ReadText(path, DatasetException.In);
            return string.IsNullOrWhiteSpace(text) ? [] : [new TextRow(null, text, path)];
        }

        if ((extension is ".jsonl" or ".json" ? ForeignContent.FindOrPage(start) : ForeignContent.Find(start)) is { } foreign)
        {
            throw new DatasetException($"{path}: {foreign}");
        }

        return extension is not (".jsonl" or ".json") ? throw new DatasetException($"{path}: data must be .jsonl, .json or .txt, not '{extension}'; convert it")
            : start.AsSpan().TrimStart("\uFEFF"u8).TrimStart(" \t\r\n"u8) is [(byte)'[', ..] ? List(path)
            : Lines(path);
    }

    private static IEnumerable<TextRow> List(string path)
    {
        JsonValue list = UserFile.ReadJson(path, DatasetException.In);
        return list.Items().Select((row, index) => RowReader.Read(row.At($"{path}, row {index + 1}")));
    }

    private static IEnumerable<TextRow> Lines(string path)
    {
        foreach ((long number, ReadOnlyMemory<byte> line) in DataLines.Read(path))
        {
            string source = $"{path}, line {number}";
            yield return RowReader.Read(Parse(line, source));
        }
    }

    private static JsonValue Parse(ReadOnlyMemory<byte> line, string source)
    {
        try
        {
            return JsonText.Parse(line, source, DatasetException.In);
        }
        catch (DatasetException error) when (line.Span.TrimEnd(" \t\r"u8) is not [.., (byte)'}'])
        {
            throw new DatasetException($"{error.Message}; a row must be whole on its line, or all rows one list", error);
        }
    }
}
