using ModelCompiler.Compiler.Passes;
using ModelCompiler.Planning;

namespace ModelCompiler.Compiler.Writing;

/// <summary>Sets of layers in words and in conditions.</summary>
internal static class LayersText
{
    /// <summary>"Layers 1..4" or "Layer 0".</summary>
    public static string Of(IEnumerable<BlockVariant> variants)
    {
        LayerSet layers = LayerSet.Of(variants.SelectMany(static v => v.Layers));
        return (layers.Count == 1 ? "Layer " : "Layers ") + layers;
    }

    /// <summary>A condition that a layer is in a set.</summary>
    /// <param name="index">Text of the layer's index.</param>
    /// <param name="layers">The set.</param>
    /// <param name="count">The number of layers; what holds for all of them is not said.</param>
    public static string Condition(string index, LayerSet layers, int count)
    {
        int step = layers.Count < 3 ? 0 : layers[1] - layers[0];
        bool periodic = step > 1 && layers.First < step && layers.Last + step >= count && layers.Zip(layers.Skip(1), (a, b) => b - a).All(gap => gap == step);
        if (periodic)
        {
            return FormattableString.Invariant($"{index} % {step} == {layers.First}");
        }

        IReadOnlyList<(int First, int Last)> runs = layers.Runs();
        string[] terms = [.. runs.Select(run => run switch
        {
            var (first, last) when first == last && runs.Count > 1 => FormattableString.Invariant($"{first}"),
            (0, var last) => FormattableString.Invariant($"<= {last}"),
            var (first, last) when last == count - 1 => FormattableString.Invariant($">= {first}"),
            var (first, last) when first == last => FormattableString.Invariant($"{first}"),
            var (first, last) => FormattableString.Invariant($">= {first} and <= {last}"),
        })];
        return terms.Length > 1 || terms[0].Contains(" and ") ? $"{index} is {string.Join(" or ", terms)}"
            : terms[0][0] is '<' or '>' ? $"{index} {terms[0]}"
            : $"{index} == {terms[0]}";
    }
}
