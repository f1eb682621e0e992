using System.Text;

namespace ModelCompiler.HuggingFace.Tokenizers;

/// <summary>
/// Translates a regular expression of Oniguruma (its Ruby syntax over UTF-8, which Hugging Face's library uses) into one of .NET that
/// matches the same. What has no equal is refused by name.
/// </summary>
internal sealed class OnigurumaPattern
{
    private const int LongestPattern = 1 << 15;
    private const int DeepestGroup = 100;
    private const int LargestCount = 100_000;
    private const string WordClass = $"[{UnicodeProperty.Word}]";

    /// <summary>Letters that fold into one character of another text: ß is ss.</summary>
    private static readonly string[] s_foldedPairs = ["ss", "ff", "fi", "fl", "st"];

    private readonly PatternReader _reader;
    private readonly NamedCharacters _named = new();
    private bool _ignoresCase;
    private bool _dotIsAny;
    private int _depth;

    private OnigurumaPattern(string pattern) => _reader = new PatternReader(pattern);

    /// <summary>Translates a pattern.</summary>
    /// <returns>The pattern for .NET, to be used with RegexOptions.Multiline, and the characters that it names.</returns>
    /// <exception cref="FormatException">The pattern is malformed or has no equal in .NET.</exception>
    public static (string Pattern, NamedCharacters Named) Translate(string pattern)
    {
        if (pattern.Length > LongestPattern)
        {
            throw new FormatException($"it is longer than {LongestPattern} characters");
        }

        var translation = new OnigurumaPattern(pattern);
        string translated = translation.Alternation();
        return translation._reader.AtEnd ? (translated, translation._named) : throw new FormatException("a ) has no (");
    }

    /// <summary>The pattern that matches a text literally.</summary>
    public static string Escape(string text) => string.Concat(text.Select(c => char.IsAsciiLetterOrDigit(c) || c > 127 ? c.ToString() : $@"\x{{{(int)c:X}}}"));

    private string Alternation()
    {
        if (++_depth > DeepestGroup)
        {
            throw new FormatException($"its groups are deeper than {DeepestGroup}");
        }

        var branches = new List<string> { Sequence() };
        while (_reader.Take('|'))
        {
            branches.Add(Sequence());
        }

        _depth--;
        return string.Join('|', branches);
    }

    private string Sequence()
    {
        var sequence = new StringBuilder();
        char previous = '\0';
        while (!_reader.AtEnd && _reader.Peek is not ('|' or ')'))
        {
            char first = _reader.Peek;
            if (_ignoresCase && s_foldedPairs.Contains($"{previous}{first}".ToLowerInvariant()))
            {
                throw new FormatException($"'{previous}{first}' without regard to case also matches a ligature, which is not supported");
            }

            previous = first;
            Atom atom = NextAtom();
            sequence.Append(atom.EndsBranch ? atom.Pattern : Quantified(atom));
            if (atom.EndsBranch)
            {
                break;
            }
        }

        return sequence.ToString();
    }

    /// <param name="Pattern">A pattern that a quantifier may follow.</param>
    /// <param name="Repeats">Whether one may.</param>
    /// <param name="EndsBranch">Whether it took all that follows in its group.</param>
    private readonly record struct Atom(string Pattern, bool Repeats = true, bool EndsBranch = false);

    private string Quantified(Atom atom)
    {
        string pattern = atom.Pattern;
        for (int count = 0; Quantifier() is { } quantifier; count++)
        {
            if (!atom.Repeats)
            {
                throw new FormatException("a quantifier follows an anchor");
            }

            pattern = (count == 0 ? pattern : $"(?:{pattern})") + quantifier.Text;
            pattern = quantifier.Possessive ? $"(?>{pattern})" : pattern;
        }

        return pattern;
    }

    /// <summary>In Ruby's syntax a + behind an interval repeats it, and a ? behind {n} makes it optional.</summary>
    private (string Text, bool Possessive)? Quantifier()
    {
        if (!_reader.AtEnd && _reader.Peek is '*' or '+' or '?')
        {
            char quantifier = _reader.Next();
            return _reader.Take('+') ? ($"{quantifier}", true)
                : _reader.Take('?') ? ($"{quantifier}?", false)
                : ($"{quantifier}", false);
        }

        if (_reader.Interval() is not { } interval)
        {
            return null;
        }

        (int least, int? most) = interval;
        if (least > LargestCount || most > LargestCount || least > most)
        {
            throw new FormatException($"the interval {{{least},{most}}} is out of range");
        }

        string text = most is null ? $"{{{least},}}" : $"{{{least},{most}}}";
        return (least != most && _reader.Take('?') ? text + "?" : text, false);
    }

    private Atom NextAtom()
    {
        char character = _reader.Next();
        return character switch
        {
            '(' => Group(),
            '[' => new Atom(new OnigurumaClass(_reader, _named, _ignoresCase).Read()),
            '\\' => Escape(),
            '.' => new Atom(_dotIsAny ? @"[\s\S]" : @"[^\n]"),

            // Lines begin after every line feed but one that ends the text.
            '^' => new Atom(@"(?:\A|(?<=\n)(?!\z))", Repeats: false),
            '$' => new Atom("$", Repeats: false),
            '*' or '+' or '?' => throw new FormatException($"there is nothing before the quantifier {character}"),
            _ => new Atom(Literal(_reader.Whole(character))),
        };
    }

    private Atom Group()
    {
        if (!_reader.Take('?'))
        {
            return new Atom(Closed("(?:"));
        }

        foreach (string kind in (ReadOnlySpan<string>)[":", "=", "!", ">", "<=", "<!"])
        {
            if (_reader.Take(kind))
            {
                return new Atom(Closed($"(?{kind}"), Repeats: kind is ":" or ">");
            }
        }

        if (_reader.Take('#'))
        {
            _reader.Until(')');
            return new Atom("", Repeats: false);
        }

        if (_reader.Take('<'))
        {
            _reader.Until('>');
            return new Atom(Closed("(?:"));
        }

        return Options();
    }

    /// <summary>(?i-m:...), or (?i) for the rest of the group, which then is a group of its own, alternatives included.</summary>
    private Atom Options()
    {
        (bool ignoresCase, bool dotIsAny) = (_ignoresCase, _dotIsAny);
        bool on = true;
        while (true)
        {
            char option = _reader.Next();
            if (option == '-')
            {
                on = false;
            }
            else if (option == 'i')
            {
                _ignoresCase = on;
            }
            else if (option == 'm')
            {
                _dotIsAny = on;
            }
            else if (option is ':' or ')')
            {
                bool rest = option == ')';
                string group = rest ? $"(?:{Alternation()})" : Closed("(?:");
                (_ignoresCase, _dotIsAny) = (ignoresCase, dotIsAny);
                return new Atom(group, EndsBranch: rest);
            }
            else if (option != 'x' || on)
            {
                throw new FormatException($"the group (?{option} is not supported");
            }
        }
    }

    private string Closed(string opening)
    {
        // Options set inside end with the group.
        (bool ignoresCase, bool dotIsAny) = (_ignoresCase, _dotIsAny);
        string inside = Alternation();
        (_ignoresCase, _dotIsAny) = (ignoresCase, dotIsAny);
        return _reader.Take(')') ? $"{opening}{inside})" : throw new FormatException("a ( has no )");
    }

    private Atom Escape()
    {
        if (_reader.ClassEscape(_ignoresCase) is { } inside)
        {
            return new Atom(inside);
        }

        switch (_reader.Peek)
        {
            case 'A' or 'z' or 'Z':
                return new Atom($@"\{_reader.Next()}", Repeats: false);
            case 'b':
                _reader.Next();
                return new Atom($"(?:(?<={WordClass})(?!{WordClass})|(?<!{WordClass})(?={WordClass}))", Repeats: false);
            case 'B':
                _reader.Next();
                return new Atom($"(?:(?<={WordClass})(?={WordClass})|(?<!{WordClass})(?!{WordClass}))", Repeats: false);
            case 'R':
                _reader.Next();
                return new Atom(@"(?>\r\n|[\n-\r\u0085\u2028\u2029])");
            default:
                return new Atom(Literal(_reader.CharacterEscape()));
        }
    }

    private string Literal(int character)
    {
        string items = NamedCharacters.WithCases(character, _ignoresCase);
        _named.Add(character, character);
        return items.Length > 1 && items[0] == '\\' && items.IndexOf('\\', 1) < 0 && !_ignoresCase ? items : items.Length == 1 ? items : $"[{items}]";
    }
}
