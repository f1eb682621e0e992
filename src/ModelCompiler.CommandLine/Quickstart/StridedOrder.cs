namespace ModelCompiler.CommandLine.Quickstart;

/// <summary>An order that is the same everywhere and in which every part is spread over the whole.</summary>
internal static class StridedOrder
{
    private const int Stride = 7919;

    /// <summary>Item k · 7919 mod n for k = 0, 1, ...; the order given where the stride, a prime, divides n.</summary>
    public static IEnumerable<T> Over<T>(IReadOnlyList<T> items)
    {
        for (int k = 0; k < items.Count; k++)
        {
            yield return items[items.Count % Stride == 0 ? k : (int)((long)k * Stride % items.Count)];
        }
    }
}
