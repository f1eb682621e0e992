using System.Text;
using System.Xml;
using ModelCompiler.Data;

namespace ModelCompiler.CommandLine.Quickstart.Documentation;

/// <summary>Reads the members of a documentation file, summaries as plain text.</summary>
internal static class DocumentationXml
{
    private static readonly XmlReaderSettings s_settings = new() { DtdProcessing = DtdProcessing.Prohibit, IgnoreComments = true, IgnoreProcessingInstructions = true };

    /// <summary>Adds the members that are not there yet and have a summary.</summary>
    /// <exception cref="DatasetException">The file cannot be read.</exception>
    public static void AddMembers(string path, IDictionary<string, DocumentedMember> members)
    {
        try
        {
            using var reader = XmlReader.Create(path, s_settings);
            string? id = null;
            while (reader.Read())
            {
                if (reader.NodeType != XmlNodeType.Element)
                {
                    continue;
                }

                if (reader.Name == "member")
                {
                    string? name = reader.GetAttribute("name");
                    id = name is { Length: > 2 } && name[1] == ':' && !members.ContainsKey(name) ? name : null;
                }
                else if (reader.Name == "summary" && id is not null)
                {
                    string summary = ReadText(reader);
                    if (summary.Length > 0)
                    {
                        members.Add(id, new DocumentedMember(id, MemberId.Signature(id), summary));
                    }

                    id = null;
                }
            }
        }
        catch (Exception error) when (error is XmlException or IOException or UnauthorizedAccessException)
        {
            throw new DatasetException($"{path}: the documentation cannot be read: {error.Message}", error);
        }
    }

    /// <summary>The text inside the current element: references as names, white space collapsed.</summary>
    private static string ReadText(XmlReader reader)
    {
        var text = new StringBuilder();
        int depth = reader.Depth;
        if (!reader.IsEmptyElement)
        {
            while (reader.Read() && reader.Depth > depth)
            {
                switch (reader.NodeType)
                {
                    case XmlNodeType.Text or XmlNodeType.CDATA or XmlNodeType.Whitespace or XmlNodeType.SignificantWhitespace:
                        text.Append(reader.Value);
                        break;
                    case XmlNodeType.Element when reader.Name is "para" or "p" or "br" or "item" or "list" or "code":
                    case XmlNodeType.EndElement when reader.Name is "para" or "p" or "item" or "list" or "code":
                        text.Append(' ');
                        break;
                    case XmlNodeType.Element when reader.IsEmptyElement:
                        text.Append(Reference(reader));
                        break;
                }
            }
        }

        return string.Join(' ', text.ToString().Split(default(char[]), StringSplitOptions.RemoveEmptyEntries));
    }

    /// <summary>What an empty element stands for.</summary>
    private static string Reference(XmlReader reader) => reader.Name switch
    {
        "paramref" or "typeparamref" => reader.GetAttribute("name") ?? "",
        "see" or "seealso" when reader.GetAttribute("cref") is { Length: > 0 } reference => MemberId.SimpleName(reference),
        "see" or "seealso" => reader.GetAttribute("langword") ?? reader.GetAttribute("name") ?? reader.GetAttribute("href") ?? "",
        "xref" when reader.GetAttribute("uid") is { Length: > 0 } reference => MemberId.SimpleName(reference),
        _ => "",
    };
}
