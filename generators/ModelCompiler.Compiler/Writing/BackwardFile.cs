using ModelCompiler.Compiler.Description;
using ModelCompiler.Compiler.Passes;
using ModelCompiler.Planning;

namespace ModelCompiler.Compiler.Writing;

/// <summary>X.Backward.g.cs: from the loss down to the lowest layer that trains.</summary>
internal static class BackwardFile
{
    public static SourceFile Write(ModelTypes types)
    {
        ModelSpec spec = types.Spec;
        SourceWriter w = FileHeader.Open(spec);
        BlockVariant[] variants = types.Model.Variants.Where(static v => v.Selective.Backward.Length > 0).ToArray();
        bool prologue = types.Model.Prologue.Backward.Length > 0;
        w.Line("/// <inheritdoc/>").Open("protected override void BackwardLayers()");
        if (variants.Length > 0)
        {
            new LayerLoop(variants.Min(static v => v.Layers.First), spec.Block.Repeat - 1).Write(
                w,
                down: true,
                static l => $"RecomputeBelow({l});",
                static l => $"BackwardLayer(Layers[{l}], new LayerBuffers(BackwardFrameAt({l})), PolicyOf({l}));");
        }

        if (prologue)
        {
            w.Line().Line("BackwardPrologue(new PrologueBuffers(PrologueFrameAt()));");
        }

        w.Close();
        if (types.Model.Loss.Backward.Length > 0)
        {
            w.Line().Line("/// <summary>One chunk of the rows with a target: the loss's gradient back to the hidden states.</summary>");
            MethodText.Write(w, "BackwardLoss", "in LossBuffers act", [], OperationsText.Lines(types, types.Model.Loss, types.Model.Loss.Backward, false));
        }

        if (variants.Length > 0)
        {
            WriteLayer(w.Line(), types, variants);
        }

        if (prologue)
        {
            w.Line().Line("/// <summary>Gradient of the embeddings.</summary>");
            MethodText.Write(w, "BackwardPrologue", "in PrologueBuffers act", [], OperationsText.Lines(types, types.Model.Prologue, types.Model.Prologue.Backward, false));
        }

        w.Close();
        return new SourceFile($"{spec.Type.Name}.Backward.g.cs", w.ToString());
    }

    private static void WriteLayer(SourceWriter w, ModelTypes types, BlockVariant[] variants)
    {
        // The highest layers first, under the policy that most runs have: where notes differ, theirs stand.
        (BlockVariant Variant, Checkpointing Policy, FrameDraft Draft)[] runs =
        [
            .. variants.Reverse().SelectMany(static v => new[]
            {
                (v, Checkpointing.Selective, v.Selective),
                (v, Checkpointing.None, v.None),
                (v, Checkpointing.Block, v.Recompute),
            }),
        ];
        var recomputed = new RecomputedLocals([.. runs.Select(static run => (run.Policy, run.Draft))], types.Names);
        IReadOnlyList<OperationGroup> groups = new MergedBody(runs.Select(run => (
            run.Variant,
            new BodyMode($"policy == §Checkpointing.{run.Policy}", $"policy != §Checkpointing.{run.Policy}"),
            OperationsText.Lines(types, run.Draft, run.Draft.Backward, false, buffer => recomputed.Of(buffer, run.Policy))))).Groups();
        OperationLine[] lines = [.. groups.SelectMany(static group => group.Lines)];
        w.Line($"/// <summary>{LayersText.Of(variants)}: given dx' in ResidualGradient, leaves dx there and adds to the trainable parameters' gradients.</summary>");
        w.Line("/// <remarks>Forward kept all that is read here (None), all but what is cheap to recompute (Selective), or the input alone (Block).</remarks>");
        MethodText.Write(
            w, "BackwardLayer", MethodText.LayerParameters(types) + ", §Checkpointing policy", [.. types.Locals(lines), .. recomputed.Declarations(lines)], groups);
    }
}
