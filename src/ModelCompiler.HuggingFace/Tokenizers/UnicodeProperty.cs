namespace ModelCompiler.HuggingFace.Tokenizers;

/// <summary>Names of character properties in Oniguruma, as the inside of a .NET character class.</summary>
internal static class UnicodeProperty
{
    /// <summary>\w: alphabetic, marks, decimal digits and connectors; the circled letters are the alphabetic ones among symbols.</summary>
    public const string Word = @"\p{L}\p{M}\p{Nd}\p{Nl}\p{Pc}\u24B6-\u24E9";

    private static readonly Dictionary<string, string> s_categories = new(StringComparer.Ordinal)
    {
        ["l"] = "L",
        ["letter"] = "L",
        ["lu"] = "Lu",
        ["uppercaseletter"] = "Lu",
        ["ll"] = "Ll",
        ["lowercaseletter"] = "Ll",
        ["lt"] = "Lt",
        ["titlecaseletter"] = "Lt",
        ["lm"] = "Lm",
        ["modifierletter"] = "Lm",
        ["lo"] = "Lo",
        ["otherletter"] = "Lo",
        ["m"] = "M",
        ["mark"] = "M",
        ["combiningmark"] = "M",
        ["mn"] = "Mn",
        ["nonspacingmark"] = "Mn",
        ["mc"] = "Mc",
        ["spacingmark"] = "Mc",
        ["me"] = "Me",
        ["enclosingmark"] = "Me",
        ["n"] = "N",
        ["number"] = "N",
        ["nd"] = "Nd",
        ["decimalnumber"] = "Nd",
        ["nl"] = "Nl",
        ["letternumber"] = "Nl",
        ["no"] = "No",
        ["othernumber"] = "No",
        ["p"] = "P",
        ["punctuation"] = "P",
        ["pc"] = "Pc",
        ["connectorpunctuation"] = "Pc",
        ["pd"] = "Pd",
        ["dashpunctuation"] = "Pd",
        ["ps"] = "Ps",
        ["openpunctuation"] = "Ps",
        ["pe"] = "Pe",
        ["closepunctuation"] = "Pe",
        ["pi"] = "Pi",
        ["initialpunctuation"] = "Pi",
        ["pf"] = "Pf",
        ["finalpunctuation"] = "Pf",
        ["po"] = "Po",
        ["otherpunctuation"] = "Po",
        ["s"] = "S",
        ["symbol"] = "S",
        ["sm"] = "Sm",
        ["mathsymbol"] = "Sm",
        ["sc"] = "Sc",
        ["currencysymbol"] = "Sc",
        ["sk"] = "Sk",
        ["modifiersymbol"] = "Sk",
        ["so"] = "So",
        ["othersymbol"] = "So",
        ["z"] = "Z",
        ["separator"] = "Z",
        ["zs"] = "Zs",
        ["spaceseparator"] = "Zs",
        ["zl"] = "Zl",
        ["lineseparator"] = "Zl",
        ["zp"] = "Zp",
        ["paragraphseparator"] = "Zp",
        ["c"] = "C",
        ["other"] = "C",
        ["cc"] = "Cc",
        ["control"] = "Cc",
        ["cf"] = "Cf",
        ["format"] = "Cf",
        ["cn"] = "Cn",
        ["unassigned"] = "Cn",
        ["co"] = "Co",
        ["privateuse"] = "Co",
    };

    private static readonly Dictionary<string, string> s_others = new(StringComparer.Ordinal)
    {
        ["any"] = @"\s\S",
        ["ascii"] = @"\u0000-\u007F",
        ["digit"] = @"\p{Nd}",
        ["space"] = @"\s",
        ["whitespace"] = @"\s",
        ["xdigit"] = "0-9A-Fa-f",
        ["cntrl"] = @"\p{Cc}",
        ["blank"] = @"\p{Zs}\t",
        ["word"] = Word,
        ["lc"] = @"\p{Lu}\p{Ll}\p{Lt}",
        ["casedletter"] = @"\p{Lu}\p{Ll}\p{Lt}",
    };

    /// <summary>The inside of a class that has the property's characters; null where it cannot be said.</summary>
    /// <param name="name">As in \p{name} or [:name:].</param>
    public static string? Inside(string name)
    {
        string key = string.Concat(name.Where(c => c is not (' ' or '-' or '_'))).ToLowerInvariant();
        return s_categories.TryGetValue(key, out string? category) ? $@"\p{{{category}}}"
            : s_others.GetValueOrDefault(key);
    }

    /// <summary>Symbols that are letters too: circled, parenthesized and squared ones.</summary>
    public static bool IsCircledLetter(int character) =>
        character is (>= 0x24B6 and <= 0x24E9) or (>= 0x1F130 and <= 0x1F149) or (>= 0x1F150 and <= 0x1F169) or (>= 0x1F170 and <= 0x1F189);
}
