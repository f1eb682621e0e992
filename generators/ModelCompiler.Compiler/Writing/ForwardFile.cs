using ModelCompiler.Compiler.Description;
using ModelCompiler.Compiler.Graph;
using ModelCompiler.Compiler.Passes;
using ModelCompiler.Planning;

namespace ModelCompiler.Compiler.Writing;

/// <summary>X.Forward.g.cs: ids to hidden states, in training or over caches; hidden states to the loss or to logits.</summary>
internal static class ForwardFile
{
    private static readonly BodyMode s_training = new("!decode", "decode");
    private static readonly BodyMode s_decoding = new("decode", "!decode");

    public static SourceFile Write(ModelTypes types)
    {
        ModelSpec spec = types.Spec;
        SourceWriter w = FileHeader.Open(spec);
        w.Line("/// <inheritdoc/>").Open("protected override void Forward(bool decode)");
        w.Line("ForwardPrologue(new PrologueBuffers(PrologueFrameAt()));");
        if (spec.Block.Repeat > 0)
        {
            new LayerLoop(0, spec.Block.Repeat - 1).Write(w, down: false, static l => $"ForwardLayer(Layers[{l}], new LayerBuffers(ForwardFrameAt({l})), decode);");
        }

        w.Close().Line();
        WriteRecompute(w, types);
        WriteLoss(w, types);
        WriteLogits(w, types);
        w.Line("/// <summary>Ids to the first residual stream.</summary>");
        MethodText.Write(w, "ForwardPrologue", "in PrologueBuffers act", [], OperationsText.Lines(types, types.Model.Prologue, types.Model.Prologue.Forward, true));
        WriteLayer(w.Line(), types);
        w.Line().Line("/// <summary>One chunk of the rows with a target: hidden states to logits to the summed loss.</summary>");
        MethodText.Write(w, "ForwardLoss", "in LossBuffers act", [], OperationsText.Lines(types, types.Model.Loss, types.Model.Loss.Forward, true));
        w.Close();
        return new SourceFile($"{spec.Type.Name}.Forward.g.cs", w.ToString());
    }

    private static void WriteLayer(SourceWriter w, ModelTypes types)
    {
        BlockVariant[] variants = [.. types.Model.Variants.Reverse()];
        IReadOnlyList<OperationGroup> groups = new MergedBody(
        [
            .. variants.Select(v => (v, s_training, Training(types, v))),
            .. variants.Select(v => (v, s_decoding, OperationsText.Lines(types, v.Decode, v.Decode.Forward, true))),
        ]).Groups();
        w.Line($"/// <summary>{LayersText.Of(variants)}: x to x'. {Saved(variants)}</summary>");
        w.Line("/// <remarks>Decoding reads and extends the caches of keys and values; it saves nothing.</remarks>");
        MethodText.Write(w, "ForwardLayer", MethodText.LayerParameters(types) + ", bool decode", types.Locals(groups.SelectMany(static group => group.Lines)), groups);
    }

    /// <summary>Forward of training. What a policy does not keep has no buffer: the text is the same.</summary>
    private static OperationLine[] Training(ModelTypes types, BlockVariant variant)
    {
        OperationLine[] lines = Of(variant.Selective);
        return new[] { variant.None, variant.Pass }.All(draft => Of(draft).Select(static line => line.Call).SequenceEqual(lines.Select(static line => line.Call)))
            ? lines
            : throw new InvalidOperationException($"forward of {variant.Name} depends on the checkpointing policy");

        OperationLine[] Of(FrameDraft draft) => OperationsText.Lines(types, draft, draft.Forward, true);
    }

    private static string Saved(BlockVariant[] variants)
    {
        int[] saved = [.. variants.Select(static v => v.Selective.Table.Buffers.Count(static r => r.Kind == BufferKind.Saved && r.Shares < 0))];
        return saved.Max() == 0 ? "Saves nothing." : $"Saves {(saved.Min() < saved.Max() ? "up to " : "")}{saved.Max()} values beside its input.";
    }

    private static void WriteRecompute(SourceWriter w, ModelTypes types)
    {
        if (types.Model.Variants.Any(static v => v.Recompute.Backward.Length > 0))
        {
            w.Line("/// <inheritdoc/>").Line("protected override void RecomputeLayer(int l) =>").Deeper();
            w.Line("ForwardLayer(Layers[l], new LayerBuffers(BackwardFrameAt(l)), decode: false);").Back().Line();
        }
    }

    private static void WriteLoss(SourceWriter w, ModelTypes types)
    {
        w.Line("/// <inheritdoc/>").Open("protected override void LossOfChunk(int firstRow, bool backward)");
        w.Line("var act = new LossBuffers(LossFrameAt(firstRow));").Line("ForwardLoss(act);");
        if (types.Model.Loss.Backward.Length > 0)
        {
            w.Open("if (backward)").Line("BackwardLoss(act);").Close();
        }

        w.Close().Line();
    }

    private static void WriteLogits(SourceWriter w, ModelTypes types)
    {
        w.Line("/// <inheritdoc/>").Open("public override §Tensor Logits(int firstRow, int rows)");
        w.Line("var act = new LossBuffers(HeadFrameAt(firstRow, rows));").Line("var ops = Backend;");
        BodyText.Write(w, OperationsText.Lines(types, types.Model.Head, types.Model.Head.Forward, true));
        Value logits = types.Model.Head.Forward.Last().Output;
        w.Line($"return act.{types.Model.Head.Names[logits]};").Close().Line();
    }
}
