namespace ModelCompiler.Planning;

/// <summary>What a dimension scales with.</summary>
public enum DimSymbol
{
    /// <summary>Nothing: the dimension is its factor.</summary>
    One,

    /// <summary>Tokens of the micro-batch: batch · sequence.</summary>
    Tokens,

    /// <summary>Rows of one chunk of the loss.</summary>
    Rows,

    /// <summary>Rank of an adapter slot.</summary>
    Rank,

    /// <summary>Rows of a key-value cache: batch · capacity.</summary>
    CacheRows,
}

/// <summary>A dimension: a factor times a symbol. No dimension of a step is a sum.</summary>
/// <param name="Factor">The factor.</param>
/// <param name="Symbol">The symbol.</param>
/// <param name="Slot">The adapter slot, where the symbol is its rank.</param>
public readonly record struct Dim(int Factor, DimSymbol Symbol = DimSymbol.One, int Slot = -1)
{
    /// <summary>One row a token.</summary>
    public static Dim Tokens => new(1, DimSymbol.Tokens);

    /// <summary>One row a row of the loss chunk.</summary>
    public static Dim Rows => new(1, DimSymbol.Rows);

    /// <summary>The rank of a slot.</summary>
    public static Dim Rank(int slot) => new(1, DimSymbol.Rank, slot);

    /// <summary>A dimension that scales with nothing.</summary>
    public static implicit operator Dim(int factor) => new(factor);

    /// <summary>Reads what <see cref="ToText"/> writes.</summary>
    /// <exception cref="FormatException">The text is no dimension.</exception>
    public static Dim Parse(string text)
    {
        int letter = text.IndexOfAny(['T', 'R', 'r', 'C']);
        string factor = letter < 0 ? text : text.Substring(0, letter);
        string slot = letter < 0 ? "" : text.Substring(letter + 1);
        if (slot.Length > 0 && text[letter] != 'r')
        {
            throw new FormatException($"'{text}' is no dimension: only a rank has a slot.");
        }

        DimSymbol symbol = letter < 0 ? DimSymbol.One : (DimSymbol)(" TRrC".IndexOf(text[letter]));
        return new Dim(factor.Length == 0 && letter >= 0 ? 1 : Number(factor), symbol, slot.Length == 0 ? -1 : Number(slot));
    }

    /// <summary>Reads lists of dimensions, each as "64 r3 T".</summary>
    /// <exception cref="FormatException">A word is no dimension.</exception>
    public static Dim[][] ParseAll(params string[] lists) => [.. lists.Select(static list => list.Split(' ').Select(Parse).ToArray())];

    /// <summary>The dimension as <see cref="Parse"/> reads it: as <see cref="ToString"/>, with the slot behind a rank, "r3".</summary>
    public string ToText() => ToString() + (Slot < 0 ? "" : Slot.ToString(System.Globalization.CultureInfo.InvariantCulture));

    private static int Number(string text) =>
        int.TryParse(text, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out int number)
            ? number
            : throw new FormatException($"'{text}' is no number of a dimension.");

    /// <summary>The dimension as a number.</summary>
    public int Evaluate(Sizes sizes) => Factor * Symbol switch
    {
        DimSymbol.Tokens => sizes.Tokens,
        DimSymbol.Rows => sizes.Rows,
        DimSymbol.Rank => sizes.Ranks[Slot],
        DimSymbol.CacheRows => sizes.CacheRows,
        _ => 1,
    };

    /// <inheritdoc/>
    public override string ToString()
    {
        string symbol = Symbol switch
        {
            DimSymbol.Tokens => "T",
            DimSymbol.Rows => "R",
            DimSymbol.Rank => "r",
            DimSymbol.CacheRows => "C",
            _ => "",
        };
        return symbol.Length == 0 ? Factor.ToString(System.Globalization.CultureInfo.InvariantCulture)
            : Factor == 1 ? symbol
            : Factor.ToString(System.Globalization.CultureInfo.InvariantCulture) + symbol;
    }
}

/// <summary>The numbers behind the symbols.</summary>
/// <param name="Batch">Sequences in the micro-batch.</param>
/// <param name="Sequence">Tokens of each.</param>
/// <param name="Rows">Rows of one chunk of the loss.</param>
/// <param name="CacheRows">Rows of a key-value cache.</param>
/// <param name="Ranks">Rank of every adapter slot, in the layers that <paramref name="Pattern"/> says nothing else of.</param>
/// <param name="Pattern">The ranks by layer, where they differ.</param>
public sealed record Sizes(int Batch, int Sequence, int Rows, int CacheRows, int[] Ranks, RankPattern? Pattern = null)
{
    /// <summary>The sizes in a layer; -1: outside the layers.</summary>
    public Sizes In(int layer) => Pattern is null ? this : this with { Ranks = Pattern.In(layer), Pattern = null };

    /// <summary>Tokens of the micro-batch.</summary>
    public int Tokens => Batch * Sequence;

    /// <summary>The mean rank of all adapters; 0 where there are none.</summary>
    public double MeanRank => Pattern?.Mean ?? (Ranks.Length == 0 ? 0 : Ranks.Average());
}
