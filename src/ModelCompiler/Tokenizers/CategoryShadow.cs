using System.Globalization;
using System.Text;

namespace ModelCompiler.Tokenizers;

/// <summary>
/// .NET's patterns see UTF-16 units, tokenizers mean characters. A text with surrogates is matched through its shadow, in which one
/// character of the same Unicode category stands for each pair.
/// </summary>
internal static class CategoryShadow
{
    /// <summary>The text to match, and where each of its characters and its end lie in the original; null where they are the same.</summary>
    public static (string Text, int[]? Origin) Of(string text)
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
                shadow.Append(StandIn(CharUnicodeInfo.GetUnicodeCategory(char.ConvertToUtf32(text[i], text[i + 1]))));
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

    /// <summary>A character of the category that no pattern names by itself.</summary>
    private static char StandIn(UnicodeCategory category) => category switch
    {
        UnicodeCategory.UppercaseLetter => '\u0416',
        UnicodeCategory.LowercaseLetter => '\u0436',
        UnicodeCategory.TitlecaseLetter => '\u01C5',
        UnicodeCategory.ModifierLetter => '\u02B0',
        UnicodeCategory.OtherLetter => '\u05D0',
        UnicodeCategory.NonSpacingMark => '\u0483',
        UnicodeCategory.SpacingCombiningMark => '\u0903',
        UnicodeCategory.EnclosingMark => '\u0488',
        UnicodeCategory.DecimalDigitNumber => '\u0660',
        UnicodeCategory.LetterNumber => '\u2160',
        UnicodeCategory.OtherNumber => '\u2460',
        UnicodeCategory.ConnectorPunctuation => '\u203F',
        UnicodeCategory.DashPunctuation => '\u2010',
        UnicodeCategory.OpenPunctuation => '\u2045',
        UnicodeCategory.ClosePunctuation => '\u2046',
        UnicodeCategory.InitialQuotePunctuation => '\u2039',
        UnicodeCategory.FinalQuotePunctuation => '\u203A',
        UnicodeCategory.OtherPunctuation => '\u2021',
        UnicodeCategory.MathSymbol => '\u2200',
        UnicodeCategory.CurrencySymbol => '\u20AC',
        UnicodeCategory.ModifierSymbol => '\u02C2',
        UnicodeCategory.Format => '\u2060',
        UnicodeCategory.PrivateUse => '\uE000',
        UnicodeCategory.OtherNotAssigned => '\uFFFF',
        _ => '\u2600',
    };
}
