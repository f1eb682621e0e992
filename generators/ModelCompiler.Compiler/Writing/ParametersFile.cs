using ModelCompiler.Compiler.Description;

namespace ModelCompiler.Compiler.Writing;

/// <summary>X.Parameters.g.cs: the class itself, its parameters, its layers, their sublayers.</summary>
internal static class ParametersFile
{
    public static SourceFile Write(ModelTypes types)
    {
        ModelSpec spec = types.Spec;
        string name = Identifier.Escape(spec.Type.Name);
        string block = Identifier.Escape(spec.Block.ClassName);
        long total = types.Tables.ParameterCount(trainable: false);
        long trainable = types.Tables.ParameterCount(trainable: true);
        SourceWriter w = FileHeader.Open(
            spec,
            FormattableString.Invariant($"{total:N0} parameters, {trainable:N0} of them trainable."),
            $"§TransformerModel<{name}>, §IModel<{name}>");

        foreach (string declaration in types.Shapes.Declarations)
        {
            w.Line(declaration);
        }

        w.Line().Open($"private {name}(§Plan plan, §IBackend backend) : base(plan, backend)");
        w.Line($"TokenEmbedding = At({types.Row("TokenEmbedding")});");
        if (types.Row("PositionEmbedding") is >= 0 and var positions)
        {
            w.Line($"PositionEmbedding = At({positions});");
        }

        if (HasFinalNorm(types))
        {
            w.Line($"FinalNorm = {ProjectionsText.Norm(types, "FinalNorm", "At", "")};");
        }

        w.Line($"Head = {ProjectionsText.Construct(types, "Head", "", "")};");
        w.Line($"var layers = new {block}[{spec.Block.Repeat}];");
        w.Open("for (int l = 0; l < layers.Length; l++)").Line($"layers[l] = new {block}(this, l);").Close();
        w.Line("Layers = layers;").Close().Line();

        w.Line($"/// <summary>Token embedding, [{spec.Vocabulary}, {spec.Width}]{(spec.Embedding.Tied ? "; also the head" : "")}.</summary>");
        w.Line("public §Parameter TokenEmbedding { get; }").Line();
        if (types.Row("PositionEmbedding") >= 0)
        {
            w.Line($"/// <summary>Position embedding, [{spec.Context}, {spec.Width}].</summary>");
            w.Line("public §Parameter PositionEmbedding { get; }").Line();
        }

        w.Line($"/// <summary>The {spec.Block.Repeat} layers.</summary>");
        w.Line($"public global::System.Collections.Generic.IReadOnlyList<{block}> Layers {{ get; }}").Line();
        if (HasFinalNorm(types))
        {
            w.Line("/// <summary>The norm before the head.</summary>");
            w.Line("public §Norm FinalNorm { get; }").Line();
        }

        w.Line($"/// <summary>Hidden states to logits, [{spec.Vocabulary}, {spec.Width}].</summary>");
        w.Line($"public {ProjectionsText.Type(types, "Head")} Head {{ get; }}").Line();

        w.Line("/// <summary>Binds the model to a plan on a backend that has no arena yet; the model disposes the backend.</summary>");
        w.Line($"public static {name} Create(§Plan plan, §IBackend backend) => new {name}(plan, backend);").Line();
        w.Line("[global::System.Runtime.CompilerServices.ModuleInitializer]");
        w.Line($"internal static void RegisterModel() => §ModelRegistry.Add<{name}>();").Line();
        WriteBlock(w, types);
        foreach (SublayerSpec sublayer in spec.Block.Sublayers)
        {
            SublayerText.Write(w.Line(), types, sublayer);
        }

        w.Close();
        return new SourceFile($"{spec.Type.Name}.Parameters.g.cs", w.ToString());
    }

    private static bool HasFinalNorm(ModelTypes types) => types.Row("FinalNorm.Weight") >= 0;

    private static void WriteBlock(SourceWriter w, ModelTypes types)
    {
        ModelSpec spec = types.Spec;
        string block = Identifier.Escape(spec.Block.ClassName);
        bool declared = spec.Recipe is null;
        w.Line("/// <summary>One layer.</summary>");
        w.Line(FileHeader.Generated).Open(declared ? $"partial class {block}" : $"public sealed class {block}");
        if (declared)
        {
            foreach (SublayerSpec s in spec.Block.Sublayers)
            {
                w.Line($"private readonly {Identifier.Escape(s.TypeName)} {types.Names.FieldOf(s.PropertyName)};");
            }

            w.Line();
        }

        w.Open($"internal {block}({Identifier.Escape(spec.Type.Name)} model, int index)").Line("Index = index;");
        foreach (SublayerSpec s in spec.Block.Sublayers)
        {
            string target = declared ? types.Names.FieldOf(s.PropertyName) : Identifier.Escape(s.PropertyName);
            w.Line($"{target} = new {Identifier.Escape(s.TypeName)}(model, index);");
        }

        w.Close().Line();
        w.Line("/// <summary>Index of the layer, from 0.</summary>").Line("public int Index { get; }");
        foreach (SublayerSpec s in spec.Block.Sublayers)
        {
            w.Line().Line($"/// <summary>{(s.Attention is null ? "The feed-forward sublayer" : "The attention sublayer")}.</summary>");
            w.Line(declared
                ? $"{s.Accessibility} partial {Identifier.Escape(s.TypeName)} {Identifier.Escape(s.PropertyName)} => {types.Names.FieldOf(s.PropertyName)};"
                : $"public {Identifier.Escape(s.TypeName)} {Identifier.Escape(s.PropertyName)} {{ get; }}");
        }

        w.Close();
    }
}
