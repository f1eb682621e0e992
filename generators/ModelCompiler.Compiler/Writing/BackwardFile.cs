using ModelCompiler.Compiler.Description;
using ModelCompiler.Compiler.Passes;

namespace ModelCompiler.Compiler.Writing;

/// <summary>X.Backward.g.cs: from the loss down to the lowest layer that trains.</summary>
internal static class BackwardFile
{
    public static SourceFile Write(ModelTypes types)
    {
        ModelSpec spec = types.Spec;
        SourceWriter w = FileHeader.Open(spec);
        var methods = new MethodSet();
        (BlockVariant, PolicyMethods)[] variants = types.Model.Variants.Where(v => v.Selective.Backward.Length > 0).Reverse().Select(v => (v, new PolicyMethods(
            Selective: Add(v, v.Selective, "Backward" + v.Name, "recomputing what is cheap"),
            None: Add(v, v.None, "Backward" + v.Name + "KeepingAll", "reading what forward kept"),
            Block: Add(v, v.Recompute, "Backward" + v.Name + "RecomputingAll", "recomputing all from the layer's input")))).ToArray();

        bool prologue = types.Model.Prologue.Backward.Length > 0;
        w.Line("/// <inheritdoc/>").Open("public override void Backward()");
        List<(LayerLoop Loop, PolicyMethods Methods)> loops = LayerLoop.Over(variants.AsEnumerable().Reverse());
        for (int i = loops.Count - 1; i >= 0; i--)
        {
            if (i < loops.Count - 1)
            {
                w.Line();
            }

            loops[i].Loop.Write(w, down: true, l =>
            {
                w.Line($"RecomputeBelow({l});");
                loops[i].Methods.Write(w, $"PolicyOf({l})", l, "BackwardFrameAt");
            });
        }

        if (prologue)
        {
            w.Line().Line("BackwardPrologue(new PrologueFrame(PrologueFrameAt()));");
        }

        w.Close();
        if (types.Model.Loss.Backward.Length > 0)
        {
            w.Line().Line("/// <summary>One chunk of the rows with a target: the loss's gradient back to the hidden states.</summary>");
            ForwardFile.Method(w, "BackwardLoss", "in LossFrame act", [], OperationsText.Body(types, types.Model.Loss, types.Model.Loss.Backward, false).Lines);
        }

        foreach (LayerMethod m in methods.Methods)
        {
            w.Line().Line($"/// <summary>{m.Layers}, {m.How}: given dx' in ResidualGradient, leaves dx there and adds to the trainable parameters' gradients.</summary>");
            ForwardFile.Method(w, m.Name, $"{Identifier.Escape(spec.Block.ClassName)} layer, in LayerFrame act", types.Locals(m.Lines), m.Lines);
        }

        if (prologue)
        {
            w.Line().Line("/// <summary>Gradient of the embeddings.</summary>");
            ForwardFile.Method(w, "BackwardPrologue", "in PrologueFrame act", [], OperationsText.Body(types, types.Model.Prologue, types.Model.Prologue.Backward, false).Lines);
        }

        w.Close();
        return new SourceFile($"{spec.Type.Name}.Backward.g.cs", w.ToString());

        string Add(BlockVariant v, FrameDraft draft, string name, string how) => methods.Add(name, v, draft, OperationsText.Body(types, draft, draft.Backward, false), how);
    }
}
