using System.Text;

namespace ModelCompiler.HuggingFace.Tokenizers;

/// <summary>Translates a character class: ranges, properties, POSIX names, classes within classes and intersections.</summary>
/// <param name="reader">Stands after the opening bracket.</param>
/// <param name="named">Receives the characters that the class names.</param>
/// <param name="ignoresCase">Whether case counts.</param>
/// <param name="depth">Classes around this one.</param>
internal sealed class OnigurumaClass(PatternReader reader, NamedCharacters named, bool ignoresCase, int depth = 0)
{
    private const int DeepestClass = 50;

    /// <summary>What the present operand of an intersection has: the inside of a .NET class, and patterns of one character.</summary>
    private readonly StringBuilder _items = new();
    private readonly List<string> _others = [];
    private readonly List<string> _operands = [];

    /// <summary>Reads to the closing bracket.</summary>
    /// <returns>A pattern that matches one character.</returns>
    /// <exception cref="FormatException">The class is malformed or has no equal in .NET.</exception>
    public string Read()
    {
        if (depth > DeepestClass)
        {
            throw new FormatException($"its classes are deeper than {DeepestClass}");
        }

        bool inverted = reader.Take('^');
        if (reader.Peek == ']')
        {
            throw new FormatException("a class is empty");
        }

        bool mayBegin = true;
        while (!reader.Take(']'))
        {
            if (reader.Take("&&"))
            {
                EndOperand();
                mayBegin = true;
            }
            else
            {
                mayBegin = ReadItem(mayBegin);
            }
        }

        EndOperand();
        string simple = _operands.Count == 1 ? _operands[0] : $"(?:{string.Concat(_operands.Take(_operands.Count - 1).Select(o => $"(?={o})"))}{_operands[^1]})";
        return !inverted ? simple
            : simple.StartsWith("[^", StringComparison.Ordinal) || simple[0] != '[' ? $@"(?:(?!{simple})[\s\S])"
            : $"[^{simple[1..]}";
    }

    /// <returns>Whether the next character may begin a range, and so whether a - there is itself.</returns>
    private bool ReadItem(bool mayBegin)
    {
        char character = reader.Next();
        if (character == '[')
        {
            if (reader.Take(':'))
            {
                bool without = reader.Take('^');
                string name = reader.Until(':');
                Require(']', "a POSIX name ends with :]");
                string property = PatternReader.Property(name, ignoresCase);
                Add(without ? $"[^{property}]" : $"[{property}]");
                return false;
            }

            Add(new OnigurumaClass(reader, named, ignoresCase, depth + 1).Read());
            return false;
        }

        int first;
        if (character == '\\')
        {
            if (reader.ClassEscape(ignoresCase) is { } inside)
            {
                Add(inside);
                return false;
            }

            first = CharacterEscape();
        }
        else
        {
            first = reader.Whole(character);
        }

        bool isRange = (first != '-' || mayBegin || character == '\\') && reader.Peek == '-' && reader.PeekSecond is not (']' or '[' or '\0');
        if (!isRange)
        {
            AddRange(first, first);
            return true;
        }

        reader.Next();
        char end = reader.Next();
        AddRange(first, end == '\\' ? CharacterEscape() : reader.Whole(end));
        return false;
    }

    /// <summary>In a class \b is a backspace.</summary>
    private int CharacterEscape() => reader.Take('b') ? '\b' : reader.CharacterEscape();

    private void AddRange(int first, int last)
    {
        if (last < first)
        {
            throw new FormatException($"the range from U+{first:X4} to U+{last:X4} is empty");
        }

        named.Add(first, last);
        _items.Append(NamedCharacters.Range(first, last, ignoresCase));
    }

    private void Add(string oneCharacter)
    {
        if (oneCharacter[0] == '[' && oneCharacter[1] != '^')
        {
            _items.Append(oneCharacter.AsSpan(1, oneCharacter.Length - 2));
        }
        else
        {
            _others.Add(oneCharacter);
        }
    }

    private void EndOperand()
    {
        string[] parts = [.. (_items.Length > 0 ? [$"[{_items}]"] : Array.Empty<string>()), .. _others];
        _operands.Add(parts.Length switch
        {
            0 => throw new FormatException("an operand of && is empty"),
            1 => parts[0],
            _ => $"(?:{string.Join('|', parts)})",
        });
        _items.Clear();
        _others.Clear();
    }

    private void Require(char expected, string defaultValue)
    {
        if (!reader.Take(expected))
        {
            throw new FormatException(defaultValue);
        }
    }
}
