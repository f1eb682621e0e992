using ModelCompiler.Compiler.Description;
using ModelCompiler.Compiler.Graph;
using ModelCompiler.Compiler.Lowering;
using ModelCompiler.Compiler.Passes;
using ModelCompiler.Planning;

namespace ModelCompiler.Compiler.Writing;

/// <summary>A sublayer with its typed projections and adapter slots.</summary>
internal static class SublayerText
{
    /// <summary>Writes the class of a sublayer.</summary>
    public static void Write(SourceWriter w, ModelTypes types, SublayerSpec s)
    {
        ProjectionSite[] projections = types.Model.Network.Projections.Where(p => p.Path.StartsWith(s.PropertyName + ".", StringComparison.Ordinal)).ToArray();
        w.Line($"/// <summary>{(s.Attention is null ? "A feed-forward sublayer" : "An attention sublayer")} and its projections.</summary>");
        w.Line(FileHeader.Generated).Open($"public sealed class {Identifier.Escape(s.TypeName)}");
        w.Open($"internal {Identifier.Escape(s.TypeName)}({Identifier.Escape(types.Spec.Type.Name)} model, int layer)");
        if (s.Norm is not null)
        {
            w.Line($"Norm = {ProjectionsText.Norm(types, s.PropertyName + ".Norm", "model.At", ", layer")};");
        }

        foreach ((string name, _) in HeadNorms(s))
        {
            w.Line($"{name} = {ProjectionsText.Norm(types, $"{s.PropertyName}.{name}", "model.At", ", layer")};");
        }

        foreach (ProjectionSite p in projections)
        {
            w.Line($"{p.Flag} = {ProjectionsText.Construct(types, p.Path, "model.", ", layer")};");
        }

        if (s.LayerScale)
        {
            w.Line($"LayerScale = model.At({types.Row(s.PropertyName + ".LayerScale")}, layer);");
        }

        w.Close();
        if (s.Norm is not null)
        {
            w.Line().Line("/// <summary>The sublayer's norm.</summary>").Line("public §Norm Norm { get; }");
        }

        foreach ((string name, string of) in HeadNorms(s))
        {
            w.Line().Line($"/// <summary>The norm of each head's {of}.</summary>").Line($"public §Norm {name} {{ get; }}");
        }

        foreach (ProjectionSite p in projections)
        {
            Planning.AdapterSlot? slot = types.AdapterOf(p.Path)?.Row;
            string adapter = slot is null ? "" : FormattableString.Invariant($", with a {slot.Method} adapter of rank {slot.Rank}");
            w.Line().Line($"/// <summary>[{p.Out}, {p.In}]{adapter}.</summary>");
            w.Line($"public {ProjectionsText.Type(types, p.Path)} {p.Flag} {{ get; }}");
        }

        if (s.LayerScale)
        {
            w.Line().Line("/// <summary>Factor per channel on the sublayer's output.</summary>").Line("public §Parameter LayerScale { get; }");
        }

        w.Close();
    }

    private static (string Name, string Of)[] HeadNorms(SublayerSpec s) =>
        s.Attention?.QueryKeyNorm is null ? [] : [("QueryNorm", "queries"), ("KeyNorm", "keys")];
}
