namespace ModelCompiler.Compiler.Writing;

/// <summary>The layers of some variants in words.</summary>
internal static class LayersText
{
    /// <summary>"Layers 1..4" or "Layer 0".</summary>
    public static string Of(IEnumerable<BlockVariant> variants)
    {
        var runs = new List<(int First, int Last)>();
        foreach (BlockVariant v in variants.Distinct().OrderBy(static v => v.FirstLayer))
        {
            bool follows = runs.Count > 0 && runs[runs.Count - 1].Last + 1 == v.FirstLayer;
            int first = follows ? runs[runs.Count - 1].First : v.FirstLayer;
            runs.RemoveRange(runs.Count - (follows ? 1 : 0), follows ? 1 : 0);
            runs.Add((first, v.LastLayer));
        }

        bool one = runs.Count == 1 && runs[0].First == runs[0].Last;
        return (one ? "Layer " : "Layers ") + string.Join(", ", runs.Select(static r => r.First == r.Last
            ? FormattableString.Invariant($"{r.First}")
            : FormattableString.Invariant($"{r.First}..{r.Last}")));
    }
}
