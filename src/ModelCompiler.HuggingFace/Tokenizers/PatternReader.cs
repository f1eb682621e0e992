using System.Globalization;

namespace ModelCompiler.HuggingFace.Tokenizers;

/// <summary>Reads an Oniguruma pattern piece by piece.</summary>
internal sealed class PatternReader(string pattern)
{
    private int _at;

    public bool AtEnd => _at == pattern.Length;

    /// <summary>The next character; \0 at the end.</summary>
    public char Peek => AtEnd ? '\0' : pattern[_at];

    /// <summary>The one after it; \0 at the end.</summary>
    public char PeekSecond => _at + 1 < pattern.Length ? pattern[_at + 1] : '\0';

    /// <exception cref="FormatException">The pattern ends here.</exception>
    public char Next() => AtEnd ? throw new FormatException("it ends too early") : pattern[_at++];

    public bool Take(char expected)
    {
        bool taken = !AtEnd && Peek == expected;
        _at += taken ? 1 : 0;
        return taken;
    }

    public bool Take(string expected)
    {
        bool taken = string.CompareOrdinal(pattern, _at, expected, 0, expected.Length) == 0;
        _at += taken ? expected.Length : 0;
        return taken;
    }

    /// <summary>What lies before a character, which is passed over.</summary>
    /// <exception cref="FormatException">There is none.</exception>
    public string Until(char end)
    {
        int found = pattern.IndexOf(end, _at);
        if (found < 0)
        {
            throw new FormatException($"a {end} is missing");
        }

        string text = pattern[_at..found];
        _at = found + 1;
        return text;
    }

    /// <summary>The character that begins with a UTF-16 unit that was read.</summary>
    public int Whole(char unit) => char.IsHighSurrogate(unit) && char.IsLowSurrogate(Peek) ? char.ConvertToUtf32(unit, Next()) : unit;

    /// <summary>{n}, {n,}, {n,m} or {,m}; null where there is none, and then a { is a character.</summary>
    public (int Least, int? Most)? Interval()
    {
        int end = Peek == '{' ? pattern.IndexOf('}', _at) : -1;
        if (end < 0)
        {
            return null;
        }

        string[] counts = pattern[(_at + 1)..end].Split(',');
        bool IsCount(string text) => text.Length is > 0 and < 10 && text.All(char.IsAsciiDigit);
        bool isInterval = counts.Length == 1 ? IsCount(counts[0])
            : counts.Length == 2 && (IsCount(counts[0]) || IsCount(counts[1])) && counts.All(c => c.Length == 0 || IsCount(c));
        if (!isInterval)
        {
            return null;
        }

        _at = end + 1;
        int least = counts[0].Length == 0 ? 0 : int.Parse(counts[0], CultureInfo.InvariantCulture);
        return (least, counts.Length == 1 ? least : counts[1].Length == 0 ? null : int.Parse(counts[1], CultureInfo.InvariantCulture));
    }

    /// <summary>\s, \d, \w, \h, \p{...} and their opposites, after the backslash, as a class of .NET; null where there is none.</summary>
    /// <exception cref="FormatException">A property has no equal.</exception>
    public string? ClassEscape(bool ignoresCase)
    {
        char kind = Peek;
        if (kind is not ('s' or 'S' or 'd' or 'D' or 'w' or 'W' or 'h' or 'H' or 'p' or 'P'))
        {
            return null;
        }

        _at++;
        if (kind is not ('p' or 'P'))
        {
            string inside = char.ToLowerInvariant(kind) switch { 's' => @"\s", 'd' => @"\p{Nd}", 'w' => UnicodeProperty.Word, _ => "0-9A-Fa-f" };
            return char.IsUpper(kind) ? $"[^{inside}]" : $"[{inside}]";
        }

        string name = Take('{') ? Until('}') : throw new FormatException($@"\{kind} needs a property in braces");
        bool inverted = name.StartsWith('^') != (kind == 'P');
        string property = Property(name.TrimStart('^'), ignoresCase);
        return inverted ? $"[^{property}]" : $"[{property}]";
    }

    /// <summary>The inside of a class for a property.</summary>
    /// <exception cref="FormatException">It has no equal.</exception>
    public static string Property(string name, bool ignoresCase)
    {
        string inside = UnicodeProperty.Inside(name) ?? throw new FormatException($"the property '{name}' is not supported");
        return ignoresCase && inside.Contains(@"\p{L", StringComparison.Ordinal)
            ? throw new FormatException($"the property '{name}' without regard to case is not supported")
            : inside;
    }

    /// <summary>A single character written with an escape, after the backslash.</summary>
    /// <exception cref="FormatException">It is no escape of a character.</exception>
    public int CharacterEscape()
    {
        char escape = Next();
        switch (escape)
        {
            case 't': return '\t';
            case 'n': return '\n';
            case 'r': return '\r';
            case 'f': return '\f';
            case 'v': return '\v';
            case 'a': return '\a';
            case 'e': return 0x1B;
            case 'x' when Take('{'): return Hexadecimal(Until('}'));
            case 'u': return Hexadecimal($"{Next()}{Next()}{Next()}{Next()}");
            case 'x':
                string digits = "";
                while (digits.Length < 2 && char.IsAsciiHexDigit(Peek))
                {
                    digits += Next();
                }

                // Beyond ASCII it would be a byte of UTF-8.
                int value = Hexadecimal(digits);
                return value < 0x80 ? value : throw new FormatException($@"the byte \x{digits} is not supported; write the character");
            default:
                return char.IsAsciiLetterOrDigit(escape) ? throw new FormatException($@"the escape \{escape} is not supported") : Whole(escape);
        }
    }

    private static int Hexadecimal(string digits) =>
        int.TryParse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out int value) && value is >= 0 and <= 0x10FFFF and not (>= 0xD800 and <= 0xDFFF)
            ? value
            : throw new FormatException($"'{digits}' is not a character's number");
}
