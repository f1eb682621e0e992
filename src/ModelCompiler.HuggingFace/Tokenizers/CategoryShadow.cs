using System.Globalization;
using System.Text;
using ModelCompiler.Tokenizers;

namespace ModelCompiler.HuggingFace.Tokenizers;

/// <summary>
/// .NET's patterns see UTF-16 units, tokenizers mean characters. A text with surrogates is matched through its shadow, in which one
/// character of the same Unicode category stands for each pair.
/// </summary>
internal sealed class CategoryShadow(IReadOnlyList<NamedCharacters> named, string file)
{
    /// <summary>A circled letter is a symbol that words have.</summary>
    private const char CircledLetter = '\u24B6';

    /// <summary>Characters before it fold with others or are spaces and signs that patterns mean.</summary>
    private const int FirstStandIn = 0x370;

    private readonly Lazy<Dictionary<UnicodeCategory, char>> _standIns = new(() => StandIns(named));

    /// <summary>The text to match, and where each of its characters and its end lie in the original; null where they are the same.</summary>
    /// <exception cref="TokenizerException">The patterns name every character that could stand for one of the text's.</exception>
    public (string Text, int[]? Origin) Of(string text)
    {
        if (!text.AsSpan().ContainsAnyInRange('\uD800', '\uDFFF'))
        {
            return (text, null);
        }

        var shadow = new StringBuilder(text.Length);
        var origin = new List<int>(text.Length + 1);
        for (int i = 0; i < text.Length; i++)
        {
            origin.Add(i);
            if (i + 1 < text.Length && char.IsSurrogatePair(text[i], text[i + 1]))
            {
                shadow.Append(StandIn(char.ConvertToUtf32(text[i], text[i + 1])));
                i++;
            }
            else
            {
                // A lone surrogate will be encoded as U+FFFD.
                shadow.Append(char.IsSurrogate(text[i]) ? '\uFFFD' : text[i]);
            }
        }

        origin.Add(text.Length);
        return (shadow.ToString(), [.. origin]);
    }

    private char StandIn(int character)
    {
        if (UnicodeProperty.IsCircledLetter(character))
        {
            return CircledLetter;
        }

        UnicodeCategory category = CharUnicodeInfo.GetUnicodeCategory(character);
        return _standIns.Value.TryGetValue(category, out char standIn)
            ? standIn
            : throw new TokenizerException($"{file}: a pattern of the pre-tokenizer names characters of category {category} one by one, so U+{character:X} cannot be told from them");
    }

    /// <summary>For each category a character that no pattern names.</summary>
    private static Dictionary<UnicodeCategory, char> StandIns(IReadOnlyList<NamedCharacters> named)
    {
        var standIns = new Dictionary<UnicodeCategory, char>();
        for (int value = FirstStandIn; value <= char.MaxValue; value++)
        {
            char character = (char)value;
            UnicodeCategory category = CharUnicodeInfo.GetUnicodeCategory(character);
            if (!standIns.ContainsKey(category) && character != CircledLetter && named.All(n => n.AllowsStandIn(character)))
            {
                standIns.Add(category, character);
            }
        }

        return standIns;
    }
}
