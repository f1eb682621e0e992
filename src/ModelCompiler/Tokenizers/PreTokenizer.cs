using System.Text.RegularExpressions;

namespace ModelCompiler.Tokenizers;

/// <summary>Cuts text into words; merges never cross their borders. Each pattern cuts the pieces of the one before.</summary>
internal sealed class PreTokenizer
{
    private readonly Regex[] _patterns;

    /// <param name="patterns">In order of use; none leaves the text whole.</param>
    /// <param name="file">For messages.</param>
    public PreTokenizer(IEnumerable<string> patterns, string file)
    {
        _patterns = [.. patterns.Select(p => SplitPatterns.Compile(p, file))];
    }

    /// <summary>The words of a text, in order, covering it.</summary>
    public List<Range> Split(string text)
    {
        (string matched, int[]? origin) = CategoryShadow.Of(text);
        if (text.Length == 0)
        {
            return [];
        }

        List<Range> pieces = [0..matched.Length];
        foreach (Regex pattern in _patterns)
        {
            var finer = new List<Range>();
            foreach (Range piece in pieces)
            {
                Split(pattern, matched.AsSpan(piece), piece.Start.Value, finer);
            }

            pieces = finer;
        }

        return origin is null ? pieces : [.. pieces.Select(p => origin[p.Start.Value]..origin[p.End.Value])];
    }

    /// <summary>Matches and what lies between them are pieces alike.</summary>
    private static void Split(Regex pattern, ReadOnlySpan<char> text, int offset, List<Range> pieces)
    {
        int reached = 0;
        foreach (ValueMatch match in pattern.EnumerateMatches(text))
        {
            if (match.Length == 0)
            {
                continue;
            }

            if (match.Index > reached)
            {
                pieces.Add((offset + reached)..(offset + match.Index));
            }

            reached = match.Index + match.Length;
            pieces.Add((offset + match.Index)..(offset + reached));
        }

        if (reached < text.Length)
        {
            pieces.Add((offset + reached)..(offset + text.Length));
        }
    }
}
