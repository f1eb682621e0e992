namespace ModelCompiler.Compiler.Writing;

/// <summary>A run of layers: a loop, or its body alone where it is one layer.</summary>
/// <param name="First">The lowest layer.</param>
/// <param name="Last">The highest layer.</param>
internal readonly record struct LayerLoop(int First, int Last)
{
    /// <summary>Writes the loop.</summary>
    /// <param name="w">The writer.</param>
    /// <param name="down">Whether it goes from the highest layer to the lowest.</param>
    /// <param name="body">Text of each line of the body, given that of the layer's index.</param>
    public void Write(SourceWriter w, bool down, params Func<string, string>[] body)
    {
        string index = First == Last ? FormattableString.Invariant($"{First}") : "l";
        if (First < Last)
        {
            w.Open(down
                ? FormattableString.Invariant($"for (int l = {Last}; l >= {First}; l--)")
                : FormattableString.Invariant($"for (int l = {First}; l <= {Last}; l++)"));
        }

        foreach (Func<string, string> line in body)
        {
            w.Line(line(index));
        }

        if (First < Last)
        {
            w.Close();
        }
    }
}
