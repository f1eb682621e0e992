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
        BlockVariant[] variants = types.Model.Variants.Where(v => v.Selective.Backward.Length > 0).Reverse().ToArray();
        PolicyMethods[] loops = variants.Select(v => new PolicyMethods(
            v,
            Selective: Add(v, v.Selective, "Backward" + v.Name, "recomputing what is cheap"),
            None: Add(v, v.None, "Backward" + v.Name + "KeepingAll", "reading what forward kept"),
            Block: Add(v, v.Recompute, "Backward" + v.Name + "RecomputingAll", "recomputing all from the layer's input"))).ToArray();

        bool prologue = types.Model.Prologue.Backward.Length > 0;
        w.Line("/// <inheritdoc/>").Open("public override void Backward()");
        foreach (PolicyMethods v in loops)
        {
            if (v != loops[0])
            {
                w.Line();
            }

            w.Open(FormattableString.Invariant($"for (int l = {v.Variant.LastLayer}; l >= {v.Variant.FirstLayer}; l--)")).Line("RecomputeBelow(l);");
            v.Write(w, "PolicyOf(l)", "BackwardFrameAt(l)");
            w.Close();
        }

        if (prologue)
        {
            w.Line().Line("BackwardPrologue(new PrologueFrame(PrologueFrameAt()));");
        }

        w.Close();
        if (types.Model.Loss.Backward.Length > 0)
        {
            w.Line().Line("/// <summary>One chunk of the rows with a target: the loss's gradient back to the hidden states.</summary>");
            ForwardFile.Method(w, "BackwardLoss", "in LossFrame b", [], OperationsText.Body(types, types.Model.Loss, types.Model.Loss.Backward, false).Lines);
        }

        foreach ((string name, string summary, string[] lines) in methods.Methods)
        {
            w.Line().Line($"/// <summary>{summary}</summary>");
            ForwardFile.Method(w, name, $"{Identifier.Escape(spec.Block.ClassName)} layer, in LayerFrame b", types.Locals(lines), lines);
        }

        if (prologue)
        {
            w.Line().Line("/// <summary>Gradient of the embeddings.</summary>");
            ForwardFile.Method(w, "BackwardPrologue", "in PrologueFrame b", [], OperationsText.Body(types, types.Model.Prologue, types.Model.Prologue.Backward, false).Lines);
        }

        w.Close();
        return new SourceFile($"{spec.Type.Name}.Backward.g.cs", w.ToString());

        string Add(BlockVariant v, FrameDraft draft, string name, string how)
        {
            string summary = $"{ForwardFile.Layers(v)}, {how}: given dx' in ResidualGradient, leaves dx there and adds to the trainable parameters' gradients.";
            return methods.Add(name, summary, OperationsText.Body(types, draft, draft.Backward, false));
        }
    }
}
