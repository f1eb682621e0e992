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
        (BlockVariant Variant, PolicyMethods Methods)[] variants = types.Model.Variants.AsEnumerable().Reverse().Select(v => (v, new PolicyMethods(
            Selective: Add(v.Selective, "Forward" + v.Name, v),
            None: Add(v.None, "Forward" + v.Name + "KeepingAll", v),
            Block: Add(v.Pass, "Forward" + v.Name + "KeepingNothing", v)))).Reverse().ToArray();

        w.Line("/// <inheritdoc/>").Open("public override void Forward()");
        w.Line("ForwardPrologue(new PrologueFrame(PrologueFrameAt()));");
        foreach ((LayerLoop loop, PolicyMethods calls) in LayerLoop.Over(variants))
        {
            w.Line();
            loop.Write(w, down: false, l => calls.Write(w, "Checkpointing", l, "ForwardFrameAt"));
        }

        w.Close().Line();
        WriteRecompute(w, variants);
        WriteLoss(w, types);
        w.Line("/// <summary>Ids to the first residual stream.</summary>");
        Method(w, "ForwardPrologue", "in PrologueFrame act", [], OperationsText.Body(types, types.Model.Prologue, types.Model.Prologue.Forward, true).Lines);
        foreach (LayerMethod m in methods.Methods)
        {
            w.Line().Line($"/// <summary>{m.Layers}: x to x'. {Saved(m)}</summary>");
            Method(w, m.Name, $"{Identifier.Escape(spec.Block.ClassName)} layer, in LayerFrame act", types.Locals(m.Lines), m.Lines);
        }

        w.Line().Line("/// <summary>One chunk of the rows with a target: hidden states to logits to the summed loss.</summary>");
        Method(w, "ForwardLoss", "in LossFrame act", [], OperationsText.Body(types, types.Model.Loss, types.Model.Loss.Forward, true).Lines);
        w.Close();
        return new SourceFile($"{spec.Type.Name}.Forward.g.cs", w.ToString());

        string Add(FrameDraft draft, string name, BlockVariant v) => methods.Add(name, v, draft, OperationsText.Body(types, draft, draft.Forward, true));
    }

    /// <summary>What the method saves under the policy that its name stands for, the first that was added.</summary>
    private static string Saved(LayerMethod method)
    {
        IEnumerable<(BlockVariant Variant, FrameDraft Draft)> uses = method.Uses.Where(static u => ReferenceEquals(u.Draft, u.Variant.Selective)).DefaultIfEmpty(method.Uses[0]);
        int[] saved = uses.Select(static u => u.Draft.Table.Buffers.Count(static r => r.Kind == BufferKind.Saved && r.Shares < 0)).ToArray();
        return saved.Max() == 0 ? "Saves nothing." : $"Saves {(saved.Min() < saved.Max() ? "up to " : "")}{saved.Max()} values beside its input.";
    }

    /// <summary>X.Decode.g.cs.</summary>
    public static SourceFile WriteDecode(ModelTypes types)
    {
        ModelSpec spec = types.Spec;
        SourceWriter w = FileHeader.Open(spec);
        var methods = new MethodSet();
        (BlockVariant, string)[] variants = types.Model.Variants.AsEnumerable().Reverse()
            .Select(v => (v, methods.Add("Decode" + v.Name, v, v.Decode, OperationsText.Body(types, v.Decode, v.Decode.Forward, true)))).Reverse().ToArray();
        w.Line("/// <inheritdoc/>").Open("public override void Decode()");
        w.Line("ForwardPrologue(new PrologueFrame(PrologueFrameAt()));");
        foreach ((LayerLoop loop, string name) in LayerLoop.Over(variants))
        {
            w.Line();
            loop.Write(w, down: false, l => w.Line($"{name}(Layers[{l}], new LayerFrame(ForwardFrameAt({l})));"));
        }

        w.Close().Line().Line("/// <inheritdoc/>").Open("public override §Tensor Logits(int firstRow, int rows)");
        w.Line("var act = new LossFrame(HeadFrameAt(firstRow, rows));").Line("var ops = Backend;");
        Lines(w, OperationsText.Body(types, types.Model.Head, types.Model.Head.Forward, true).Lines);
        Value logits = types.Model.Head.Forward.Last().Output;
        w.Line($"return act.{types.Model.Head.Names[logits]};").Close();
        foreach (LayerMethod m in methods.Methods)
        {
            w.Line().Line($"/// <summary>{m.Layers}, over caches of keys and values.</summary>");
            Method(w, m.Name, $"{Identifier.Escape(spec.Block.ClassName)} layer, in LayerFrame act", types.Locals(m.Lines), m.Lines);
        }

        w.Close();
        return new SourceFile($"{spec.Type.Name}.Decode.g.cs", w.ToString());
    }

    /// <summary>Forward of one layer that backward reaches, by its variant.</summary>
    private static void WriteRecompute(SourceWriter w, (BlockVariant Variant, PolicyMethods Methods)[] variants)
    {
        (BlockVariant Variant, PolicyMethods Methods)[] recomputed = variants.Where(static v => v.Variant.Recompute.Backward.Length > 0).ToArray();
        if (recomputed.Length == 0)
        {
            return;
        }

        string lowest = recomputed[0].Methods.Selective;
        w.Line("/// <inheritdoc/>").Open("protected override void RecomputeLayer(int l)").Line("var act = new LayerFrame(BackwardFrameAt(l));");
        foreach ((BlockVariant variant, PolicyMethods methods) in recomputed.Where(v => v.Methods.Selective != lowest).Reverse())
        {
            w.Open(FormattableString.Invariant($"if (l >= {variant.FirstLayer})")).Line($"{methods.Selective}(Layers[l], act);").Line("return;").Close().Line();
        }

        w.Line($"{lowest}(Layers[l], act);").Close().Line();
    }

    /// <summary>One method.</summary>
    internal static void Method(SourceWriter w, string name, string parameters, string[] locals, string[] lines)
    {
        w.Open($"private void {name}({parameters})").Line("var ops = Backend;");
        foreach (string local in locals)
        {
            w.Line(local);
        }

        w.Line();
        Lines(w, lines);
        w.Close();
    }

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
        w.Line("var act = new LossFrame(LossFrameAt(row));").Line("ForwardLoss(act);");
        if (types.Model.Loss.Backward.Length > 0)
        {
            w.Open("if (backward)").Line("BackwardLoss(act);").Close();
        }

        w.Close().Close().Line();
    }
}
