namespace ModelCompiler.CommandLine.Options;

/// <summary>The known names that are nearest to one that is not known.</summary>
internal static class Suggestions
{
    private const int Most = 3;

    /// <summary>Such as "; did you mean train, tune or plan?"; empty where no name is known.</summary>
    public static string For(string given, IEnumerable<string> known)
    {
        string[] nearest = Nearest(given, known);
        return nearest.Length switch
        {
            0 => "",
            1 => $"; did you mean {nearest[0]}?",
            _ => $"; did you mean {string.Join(", ", nearest[..^1])} or {nearest[^1]}?",
        };
    }

    /// <summary>At most three names, the nearest first: those that contain what was given, then those of the fewest edits.</summary>
    public static string[] Nearest(string given, IEnumerable<string> known) =>
    [
        .. known.Distinct(StringComparer.OrdinalIgnoreCase)
            .OrderBy(name => Contains(name, given) ? 0 : 1)
            .ThenBy(name => Edits(given.ToUpperInvariant(), name.ToUpperInvariant()))
            .ThenBy(name => name, StringComparer.OrdinalIgnoreCase)
            .Take(Most),
    ];

    private static bool Contains(string text, string part) => part.Length > 1 && text.Contains(part, StringComparison.OrdinalIgnoreCase);

    /// <summary>Insertions, deletions, substitutions and swaps of neighbors that turn one text into the other (Damerau 1964, restricted).</summary>
    private static int Edits(string from, string to)
    {
        var edits = new int[from.Length + 1, to.Length + 1];
        for (int i = 0; i <= from.Length; i++)
        {
            for (int j = 0; j <= to.Length; j++)
            {
                edits[i, j] = i == 0 || j == 0
                    ? i + j
                    : Math.Min(Math.Min(edits[i - 1, j], edits[i, j - 1]) + 1, edits[i - 1, j - 1] + (from[i - 1] == to[j - 1] ? 0 : 1));
                if (i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1])
                {
                    edits[i, j] = Math.Min(edits[i, j], edits[i - 2, j - 2] + 1);
                }
            }
        }

        return edits[from.Length, to.Length];
    }
}
