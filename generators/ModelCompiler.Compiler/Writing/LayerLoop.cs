using ModelCompiler.Compiler.Passes;

namespace ModelCompiler.Compiler.Writing;

/// <summary>A run of layers that call the same methods: a loop, or the calls alone where it is one layer.</summary>
/// <param name="First">The lowest layer.</param>
/// <param name="Last">The highest layer.</param>
internal readonly record struct LayerLoop(int First, int Last)
{
    /// <summary>The loops over variants in ascending order; neighbors with equal methods are one.</summary>
    public static List<(LayerLoop Loop, T Methods)> Over<T>(IEnumerable<(BlockVariant Variant, T Methods)> variants)
        where T : IEquatable<T>
    {
        var loops = new List<(LayerLoop Loop, T Methods)>();
        foreach ((BlockVariant v, T methods) in variants)
        {
            int last = loops.Count - 1;
            if (last >= 0 && loops[last].Methods.Equals(methods) && loops[last].Loop.Last + 1 == v.FirstLayer)
            {
                loops[last] = (new LayerLoop(loops[last].Loop.First, v.LastLayer), methods);
            }
            else
            {
                loops.Add((new LayerLoop(v.FirstLayer, v.LastLayer), methods));
            }
        }

        return loops;
    }

    /// <summary>Writes the loop.</summary>
    /// <param name="w">The writer.</param>
    /// <param name="down">Whether it goes from the highest layer to the lowest.</param>
    /// <param name="body">Writes the body, given the text of the layer's index.</param>
    public void Write(SourceWriter w, bool down, Action<string> body)
    {
        if (First == Last)
        {
            body(FormattableString.Invariant($"{First}"));
            return;
        }

        w.Open(down
            ? FormattableString.Invariant($"for (int l = {Last}; l >= {First}; l--)")
            : FormattableString.Invariant($"for (int l = {First}; l <= {Last}; l++)"));
        body("l");
        w.Close();
    }
}
