using ModelCompiler.Planning;

namespace ModelCompiler.Compiler.Writing;

/// <summary>Values as C# writes them.</summary>
internal static class Literal
{
    private const int LongText = 100;

    /// <summary>A string; a long one in parts, so that its line can be broken.</summary>
    public static string Text(string value)
    {
        int space = value.Length <= LongText ? -1 : value.LastIndexOf(' ', LongText);
        return space < 0 ? Quoted(value) : $"{Quoted(value.Substring(0, space + 1))} + {Text(value.Substring(space + 1))}";
    }

    public static string Flag(bool value) => value ? "true" : "false";

    public static string Layers(LayerSet layers) => $"§LayerSet.Parse({Text(layers.ToString())})";

    public static string Dimension(Dim d) => d switch
    {
        { Symbol: DimSymbol.One } => FormattableString.Invariant($"{d.Factor}"),
        { Factor: 1, Symbol: DimSymbol.Rank } => FormattableString.Invariant($"§Dim.Rank({d.Slot})"),
        _ => $"§Dim.Parse({Text(d.ToText())})",
    };

    public static string Format(WeightFormat f) => f.Storage switch
    {
        Storage.Float32 => "§WeightFormat.Compute",
        Storage.NF4 => FormattableString.Invariant($"§WeightFormat.NF4({f.BlockSize}, doubleQuantized: {Flag(f.DoubleQuantized)})"),
        Storage.Int8 or Storage.Int4 => FormattableString.Invariant($"§WeightFormat.{f.Storage}({f.BlockSize})"),
        _ when f.BlockSize > 0 => FormattableString.Invariant($"new §WeightFormat(global::ModelCompiler.Storage.{f.Storage}, {f.BlockSize}, DoubleQuantized: {Flag(f.DoubleQuantized)})"),
        _ => $"§WeightFormat.{f.Storage}",
    };

    public static string Work(Work work) => work == default
        ? "default"
        : FormattableString.Invariant($"new({work.Operations}, {Flops(work.Flops)}, {Traffic(work.Traffic)})");

    private static string Flops(Flops f) => $"new §Flops({Numbers(2, f.PerRow, f.PerRowAndPosition, f.PerRowAndRank, f.PerRowAndSquaredRank)})";

    private static string Traffic(Traffic t) => $"new §Traffic({Numbers(5, t.PerRow, t.PerRowAndRank, t.Weights, t.PerRank, t.PerSquaredRank)})";

    private static string Quoted(string value) => "\"" + value.Replace("\\", "\\\\").Replace("\"", "\\\"") + "\"";

    /// <summary>Numbers without the zeros at their end, but those that must be there.</summary>
    private static string Numbers(int required, params double[] numbers)
    {
        int last = Array.FindLastIndex(numbers, static number => number != 0);
        return string.Join(", ", numbers.Take(Math.Max(required, last + 1)).Select(static number => FormattableString.Invariant($"{number:R}")));
    }
}
