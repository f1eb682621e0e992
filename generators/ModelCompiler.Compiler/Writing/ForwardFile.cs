using ModelCompiler.Compiler.Description;
using ModelCompiler.Compiler.Graph;
using ModelCompiler.Compiler.Operations;
using ModelCompiler.Compiler.Passes;
using ModelCompiler.Planning;

namespace ModelCompiler.Compiler.Writing;

/// <summary>X.Forward.g.cs and X.Decode.g.cs: ids to hidden states, hidden states to the loss or to logits.</summary>
internal static class ForwardFile
{
    public static SourceFile Write(ModelTypes types)
    {
        ModelSpec spec = types.Spec;
        SourceWriter w = FileHeader.Open(spec);
        var methods = new MethodSet();
        PolicyMethods[] variants = types.Model.Variants.Select(v => new PolicyMethods(
            v,
            Selective: Add(v.Selective, "Forward" + v.Name, v),
            None: Add(v.None, "Forward" + v.Name + "KeepingAll", v),
            Block: Add(v.Pass, "Forward" + v.Name + "KeepingNothing", v))).ToArray();

        w.Line("/// <inheritdoc/>").Open("public override void Forward()");
        w.Line("ForwardPrologue(new PrologueFrame(PrologueFrameAt()));");
        foreach (PolicyMethods v in variants)
        {
            w.Line().Open(Upwards(v.Variant));
            v.Write(w, "Checkpointing", "ForwardFrameAt(l)");
            w.Close();
        }

        w.Close().Line();
        WriteRecompute(w, variants);
        WriteLoss(w, types);
        w.Line("/// <summary>Ids to the first residual stream.</summary>");
        Method(w, "ForwardPrologue", "in PrologueFrame b", [], OperationsText.Body(types, types.Model.Prologue, types.Model.Prologue.Forward, true).Lines);
        foreach ((string name, string summary, string[] lines) in methods.Methods)
        {
            w.Line().Line($"/// <summary>{summary}</summary>");
            Method(w, name, $"{Identifier.Escape(spec.Block.ClassName)} layer, in LayerFrame b", types.Locals(lines), lines);
        }

        w.Line().Line("/// <summary>One chunk of the rows with a target: hidden states to logits to the summed loss.</summary>");
        Method(w, "ForwardLoss", "in LossFrame b", [], OperationsText.Body(types, types.Model.Loss, types.Model.Loss.Forward, true).Lines);
        w.Close();
        return new SourceFile($"{spec.Type.Name}.Forward.g.cs", w.ToString());

        string Add(FrameDraft draft, string name, BlockVariant v)
        {
            int saved = draft.Table.Buffers.Count(r => r.Kind == BufferKind.Saved && r.Shares < 0);
            string summary = $"{Layers(v)}: x to x'. {(saved == 0 ? "Saves nothing." : $"Saves {saved} values beside its input.")}";
            return methods.Add(name, summary, OperationsText.Body(types, draft, draft.Forward, true));
        }
    }

    /// <summary>X.Decode.g.cs.</summary>
    public static SourceFile WriteDecode(ModelTypes types)
    {
        ModelSpec spec = types.Spec;
        SourceWriter w = FileHeader.Open(spec);
        var methods = new MethodSet();
        var names = types.Model.Variants.ToDictionary(
            v => v,
            v => methods.Add("Decode" + v.Name, $"{Layers(v)}, over caches of keys and values.", OperationsText.Body(types, v.Decode, v.Decode.Forward, true)));
        w.Line("/// <inheritdoc/>").Open("public override void Decode()");
        w.Line("ForwardPrologue(new PrologueFrame(PrologueFrameAt()));");
        foreach (BlockVariant v in types.Model.Variants)
        {
            w.Line().Open(Upwards(v)).Line($"{names[v]}(Layers[l], new LayerFrame(ForwardFrameAt(l)));").Close();
        }

        w.Close().Line().Line("/// <inheritdoc/>").Open("public override §Tensor Logits(int firstRow, int rows)");
        w.Line("var b = new LossFrame(HeadFrameAt(firstRow, rows));").Line("var k = Backend;");
        Lines(w, OperationsText.Body(types, types.Model.Head, types.Model.Head.Forward, true).Lines);
        Value logits = types.Model.Head.Forward.Last().Output;
        w.Line($"return b.{types.Model.Head.Names[logits]};").Close();
        foreach ((string name, string summary, string[] lines) in methods.Methods)
        {
            w.Line().Line($"/// <summary>{summary}</summary>");
            Method(w, name, $"{Identifier.Escape(spec.Block.ClassName)} layer, in LayerFrame b", types.Locals(lines), lines);
        }

        w.Close();
        return new SourceFile($"{spec.Type.Name}.Decode.g.cs", w.ToString());
    }

    private static string Upwards(BlockVariant v) => FormattableString.Invariant($"for (int l = {v.FirstLayer}; l <= {v.LastLayer}; l++)");

    /// <summary>Forward of one layer that backward reaches, by its variant.</summary>
    private static void WriteRecompute(SourceWriter w, PolicyMethods[] variants)
    {
        PolicyMethods[] recomputed = variants.Where(static v => v.Variant.Recompute.Backward.Length > 0).ToArray();
        if (recomputed.Length == 0)
        {
            return;
        }

        w.Line("/// <inheritdoc/>").Open("protected override void RecomputeLayer(int l)").Line("var b = new LayerFrame(BackwardFrameAt(l));");
        foreach (PolicyMethods v in recomputed.Where(v => v.Selective != recomputed[0].Selective).Reverse())
        {
            w.Open(FormattableString.Invariant($"if (l >= {v.Variant.FirstLayer})")).Line($"{v.Selective}(Layers[l], b);").Line("return;").Close().Line();
        }

        w.Line($"{recomputed[0].Selective}(Layers[l], b);").Close().Line();
    }

    /// <summary>One method.</summary>
    internal static void Method(SourceWriter w, string name, string parameters, string[] locals, string[] lines)
    {
        w.Open($"private void {name}({parameters})").Line("var k = Backend;");
        foreach (string local in locals)
        {
            w.Line(local);
        }

        w.Line();
        Lines(w, lines);
        w.Close();
    }

    /// <summary>"Layers 1..4" or "Layer 0".</summary>
    internal static string Layers(BlockVariant v) => v.FirstLayer == v.LastLayer
        ? FormattableString.Invariant($"Layer {v.FirstLayer}")
        : FormattableString.Invariant($"Layers {v.FirstLayer}..{v.LastLayer}");

    private static void Lines(SourceWriter w, string[] lines)
    {
        foreach (string line in lines)
        {
            w.Line(line);
        }
    }

    private static void WriteLoss(SourceWriter w, ModelTypes types)
    {
        w.Line("/// <inheritdoc/>").Line("/// <remarks>Logits exist for one chunk of the rows with a target at a time, never for all tokens.</remarks>");
        w.Open("public override void Loss(bool backward)");
        if (types.Model.Loss.Backward.Any(o => o.Operation is GatherGradient))
        {
            w.Open("if (backward)").Line("Backend.Zero(ResidualGradient);   // rows without a target keep it").Close().Line();
        }

        w.Open("for (int row = 0; row < TargetCount; row += ChunkRows)");
        w.Line("var b = new LossFrame(LossFrameAt(row));").Line("ForwardLoss(b);");
        if (types.Model.Loss.Backward.Length > 0)
        {
            w.Open("if (backward)").Line("BackwardLoss(b);").Close();
        }

        w.Close().Close().Line();
    }
}
