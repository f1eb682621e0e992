namespace ModelCompiler.HuggingFace.Tokenizers;

/// <summary>Names of character properties in Oniguruma, as the inside of a .NET character class.</summary>
internal static class UnicodeProperty
{
    /// <summary>\w: alphabetic, marks, decimal digits and connectors; the circled letters are the alphabetic ones among symbols.</summary>
    public const string Word = @"\p{L}\p{M}\p{Nd}\p{Nl}\p{Pc}\u24B6-\u24E9";

    /// <summary>Every general category by its short and by its long name.</summary>
    private static readonly (string Category, string Name)[] s_categories =
    [
        ("L", "letter"), ("Lu", "uppercaseletter"), ("Ll", "lowercaseletter"), ("Lt", "titlecaseletter"), ("Lm", "modifierletter"),
        ("Lo", "otherletter"),
        ("M", "mark"), ("M", "combiningmark"), ("Mn", "nonspacingmark"), ("Mc", "spacingmark"), ("Me", "enclosingmark"),
        ("N", "number"), ("Nd", "decimalnumber"), ("Nl", "letternumber"), ("No", "othernumber"),
        ("P", "punctuation"), ("Pc", "connectorpunctuation"), ("Pd", "dashpunctuation"), ("Ps", "openpunctuation"),
        ("Pe", "closepunctuation"), ("Pi", "initialpunctuation"), ("Pf", "finalpunctuation"), ("Po", "otherpunctuation"),
        ("S", "symbol"), ("Sm", "mathsymbol"), ("Sc", "currencysymbol"), ("Sk", "modifiersymbol"), ("So", "othersymbol"),
        ("Z", "separator"), ("Zs", "spaceseparator"), ("Zl", "lineseparator"), ("Zp", "paragraphseparator"),
        ("C", "other"), ("Cc", "control"), ("Cf", "format"), ("Cn", "unassigned"), ("Co", "privateuse"),
    ];

    private static readonly (string Inside, string Name)[] s_others =
    [
        (@"\s\S", "any"), (@"\u0000-\u007F", "ascii"), (@"\p{Nd}", "digit"), (@"\s", "space"), (@"\s", "whitespace"), ("0-9A-Fa-f", "xdigit"),
        (@"\p{Cc}", "cntrl"), (@"\p{Zs}\t", "blank"), (Word, "word"), (@"\p{Lu}\p{Ll}\p{Lt}", "lc"), (@"\p{Lu}\p{Ll}\p{Lt}", "casedletter"),
    ];

    private static readonly Dictionary<string, string> s_insides = CollectInsides();

    /// <summary>The inside of a class that has the property's characters; null where it cannot be said.</summary>
    /// <param name="name">As in \p{name} or [:name:].</param>
    public static string? Inside(string name)
    {
        string key = string.Concat(name.Where(c => c is not (' ' or '-' or '_'))).ToLowerInvariant();
        return s_insides.GetValueOrDefault(key);
    }

    /// <summary>Symbols that are letters too: circled, parenthesized and squared ones.</summary>
    public static bool IsCircledLetter(int character) =>
        character is (>= 0x24B6 and <= 0x24E9) or (>= 0x1F130 and <= 0x1F149) or (>= 0x1F150 and <= 0x1F169) or (>= 0x1F170 and <= 0x1F189);

    private static Dictionary<string, string> CollectInsides()
    {
        Dictionary<string, string> insides = s_others.ToDictionary(static other => other.Name, static other => other.Inside, StringComparer.Ordinal);
        foreach ((string category, string name) in s_categories)
        {
            insides[category.ToLowerInvariant()] = insides[name] = $@"\p{{{category}}}";
        }

        return insides;
    }
}
