namespace ModelCompiler.HuggingFace.Tokenizers;

/// <summary>The characters that a pattern names one by one or in ranges, not by their properties.</summary>
internal sealed class NamedCharacters
{
    private const int LastOfPlane = 0xFFFF;
    private const int Last = 0x10FFFF;

    private readonly List<(int First, int Last)> _ranges = [];

    /// <summary>Adds a range.</summary>
    /// <exception cref="FormatException">It has some of the characters beyond U+FFFF but not all: they are matched by their category alone.</exception>
    public void Add(int first, int last)
    {
        if (last > LastOfPlane && (last < Last || first > LastOfPlane))
        {
            throw new FormatException($"the range from U+{first:X4} to U+{last:X4} is not supported, since it names characters beyond U+FFFF");
        }

        _ranges.Add((first, last));
    }

    /// <summary>Whether a character may stand for one beyond U+FFFF of its category: the pattern must not tell them apart.</summary>
    public bool AllowsStandIn(char character) => _ranges.TrueForAll(r => r.Last > LastOfPlane ? character >= r.First : character < r.First || character > r.Last);

    /// <summary>A range as the inside of a class.</summary>
    /// <exception cref="FormatException">Its case cannot be left out of account.</exception>
    public static string Range(int first, int last, bool ignoresCase)
    {
        if (ignoresCase && last >= 0x80)
        {
            throw new FormatException($"U+{last:X4} without regard to case is not supported");
        }

        string range = first == last ? Written(first) : $"{Written(first)}-{Written(Math.Min(last, LastOfPlane))}";
        if (!ignoresCase)
        {
            return range;
        }

        return range + string.Concat(Enumerable.Range(first, last - first + 1).Where(c => char.IsAsciiLetter((char)c)).Select(c => WithCases(c, true)));
    }

    /// <summary>A character, with its other cases if they count as the same, as the inside of a class.</summary>
    /// <exception cref="FormatException">Its case cannot be left out of account.</exception>
    public static string WithCases(int character, bool ignoresCase)
    {
        if (!ignoresCase || !char.IsAscii((char)character) || character > LastOfPlane || !char.IsAsciiLetter((char)character))
        {
            return ignoresCase && character >= 0x80 ? throw new FormatException($"U+{character:X4} without regard to case is not supported") : Written(character);
        }

        char lower = char.ToLowerInvariant((char)character);

        // The Kelvin sign and the long s.
        string other = lower switch { 'k' => @"\u212A", 's' => @"\u017F", _ => "" };
        return $"{char.ToUpperInvariant(lower)}{lower}{other}";
    }

    private static string Written(int character) => char.IsAsciiLetterOrDigit((char)character) && character < 0x80 ? $"{(char)character}" : $@"\u{character:X4}";
}
