namespace ModelCompiler.Compiler.Writing;

/// <summary>The methods that run a variant of the block in one direction, one a checkpointing policy; where their text is the same they are one.</summary>
internal sealed record PolicyMethods(string Selective, string None, string Block)
{
    /// <summary>Writes the call that the policy asks for.</summary>
    /// <param name="w">The writer.</param>
    /// <param name="policy">Text of the policy.</param>
    /// <param name="layer">Text of the layer's index.</param>
    /// <param name="frameAt">The method that gives a layer's frame.</param>
    public void Write(SourceWriter w, string policy, string layer, string frameAt)
    {
        (string Name, string Method)[] others = new[] { ("None", None), ("Block", Block) }.Where(p => p.Item2 != Selective).ToArray();
        for (int i = 0; i < others.Length; i++)
        {
            w.Open($"{(i == 0 ? "" : "else ")}if ({policy} == §Checkpointing.{others[i].Name})").Line(Call(others[i].Method)).Close();
        }

        if (others.Length == 0)
        {
            w.Line(Call(Selective));
        }
        else
        {
            w.Open("else").Line(Call(Selective)).Close();
        }

        string Call(string method) => $"{method}(Layers[{layer}], new LayerFrame({frameAt}({layer})));";
    }
}
