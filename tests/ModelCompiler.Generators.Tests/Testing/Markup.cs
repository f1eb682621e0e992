using System.Text;
using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis.Text;

namespace ModelCompiler.Generators.Tests.Testing;

/// <summary>Source in which expected diagnostics are marked: <c>{|MC0101:the reported text|}</c>.</summary>
internal static partial class Markup
{
    public static (string Source, (string Id, TextSpan Span)[] Expected) Parse(string marked)
    {
        var source = new StringBuilder();
        var expected = new List<(string, TextSpan)>();
        int position = 0;
        foreach (Match match in Marker().Matches(marked))
        {
            source.Append(marked, position, match.Index - position);
            expected.Add((match.Groups["id"].Value, new TextSpan(source.Length, match.Groups["text"].Length)));
            source.Append(match.Groups["text"].Value);
            position = match.Index + match.Length;
        }

        return (source.Append(marked, position, marked.Length - position).ToString(), [.. expected]);
    }

    /// <summary>Replaces a text that must occur exactly once.</summary>
    public static string With(this string source, string old, string text)
    {
        Assert.Single(Regex.Matches(source, Regex.Escape(old)));
        return source.Replace(old, text, StringComparison.Ordinal);
    }

    [GeneratedRegex(@"\{\|(?<id>MC\d{4}):(?<text>.*?)\|\}", RegexOptions.Singleline)]
    private static partial Regex Marker();
}
