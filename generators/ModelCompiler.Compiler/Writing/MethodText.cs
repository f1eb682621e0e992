namespace ModelCompiler.Compiler.Writing;

/// <summary>A private method of kernel calls.</summary>
internal static class MethodText
{
    /// <summary>The type of a layer and its buffers, as parameters.</summary>
    public static string LayerParameters(ModelTypes types) => $"{Identifier.Escape(types.Spec.Block.ClassName)} layer, in LayerBuffers act";

    /// <summary>Writes a method whose lines all run.</summary>
    public static void Write(SourceWriter w, string name, string parameters, IEnumerable<string> locals, OperationLine[] lines) =>
        Write(w, name, parameters, locals, [new OperationGroup(null, lines)]);

    /// <summary>Writes a method.</summary>
    public static void Write(SourceWriter w, string name, string parameters, IEnumerable<string> locals, IReadOnlyList<OperationGroup> groups)
    {
        w.Open($"private void {name}({parameters})").Line("var ops = Backend;");
        foreach (string local in locals)
        {
            w.Line(local);
        }

        w.Line();
        BodyText.Write(w, groups);
        w.Close();
    }
}
