namespace ModelCompiler.Compiler.Writing;

/// <summary>Breaks lines that are too wide: comments between words, code behind a comma or an arrow.</summary>
internal static class LineBreaks
{
    private const string Comment = "/// ";
    private const string Step = "    ";

    /// <summary>The lines that a line becomes; where it has no place to break it stays as it is.</summary>
    /// <param name="line">The line.</param>
    /// <param name="width">The widest that it may be.</param>
    public static string[] Break(string line, int width)
    {
        var lines = new List<string>();
        string head = line.StartsWith(Comment, StringComparison.Ordinal) ? Comment : Step;
        for (string rest = line; ;)
        {
            int end = rest.Length <= width ? -1 : head == Comment ? BetweenWords(rest, width) : InCode(rest, width);
            if (end < 0)
            {
                lines.Add(rest);
                return [.. lines];
            }

            lines.Add(rest.Substring(0, end).TrimEnd());
            rest = head + rest.Substring(end).TrimStart();
        }
    }

    private static int BetweenWords(string line, int width) => line.LastIndexOf(' ', width - 1) is var end && end >= Comment.Length ? end : -1;

    /// <summary>
    /// The place to break code before the width: behind an arrow, or else behind a comma or a plus that is in as few parentheses as can be, of these the last; never
    /// inside a string.
    /// </summary>
    private static int InCode(string line, int width)
    {
        (int Depth, int End) comma = (int.MaxValue, -1);
        int arrow = -1;
        int depth = 0;
        bool quoted = false;
        int start = line.Length - line.TrimStart().Length;
        for (int i = start; i < Math.Min(line.Length, width); i++)
        {
            quoted ^= line[i] == '"' && (i == 0 || line[i - 1] != '\\');
            if (quoted)
            {
                continue;
            }

            depth += line[i] is '(' or '[' ? 1 : line[i] is ')' or ']' ? -1 : 0;
            bool spaced = i + 1 < line.Length && line[i + 1] == ' ';
            arrow = spaced && line[i] == '>' && line[i - 1] == '=' ? i + 2 : arrow;
            if (spaced && line[i] is ',' or '+' && depth <= comma.Depth && i > start + width / 4)
            {
                comma = (depth, i + 2);
            }
        }

        return arrow > start ? arrow : comma.End;
    }
}
