using ModelCompiler.Compiler.Description;
using ModelCompiler.Planning;

namespace ModelCompiler.Compiler.Writing;

/// <summary>X.Memory.g.cs: what a step costs.</summary>
internal static class MemoryFile
{
    public static SourceFile Write(ModelTypes types)
    {
        ModelSpec spec = types.Spec;
        ModelTables t = types.Tables;
        SourceWriter w = FileHeader.Open(spec);
        w.Line("/// <summary>What a training step under a plan takes, in bytes; the run allocates exactly this.</summary>");
        w.Line("/// <remarks>");
        w.Line("/// Peak = weights + adapters + gradients + optimizer (AdamW: 2 · gradients) + inputs + workspace + residual gradient + stack, where the stack");
        w.Line("/// is the highest of: the base of a layer's frame (the sum of what the layers below save) plus that frame's own peak, and the loss on top.");
        foreach (VariantFrames v in t.Variants)
        {
            w.Line(FormattableString.Invariant($"/// {v.Name}: saves a token {Saved(v.None)} (none), {Saved(v.Selective)} (selective), {t.Width:N0} of one layer in each segment (block)."));
        }

        w.Line("/// </remarks>");
        w.Line("/// <exception cref=\"global::System.ArgumentException\">A number of the plan is out of range for the model.</exception>");
        w.Line("public static §MemoryCost MemoryCost(§TrainingPlan plan, §BackendProfile? profile = null) =>").Deeper();
        w.Line("§MemoryPlanner.Cost(s_tables, plan, profile ?? §BackendProfile.Cpu(global::System.Environment.ProcessorCount));").Back();
        w.Close();
        return new SourceFile($"{spec.Type.Name}.Memory.g.cs", w.ToString());
    }

    private static string Saved(FrameTable table)
    {
        FrameBuffer[] saved = table.Buffers.Where(r => r.Kind == BufferKind.Saved && r.Shares < 0 && r.Rows.Symbol == DimSymbol.Tokens).ToArray();
        int fixedElements = saved.Where(r => r.Columns.Symbol == DimSymbol.One).Sum(r => r.Columns.Factor);
        FrameBuffer input = table.Buffers.First(r => r.Kind == BufferKind.Input);
        int ranks = saved.Count(r => r.Columns.Symbol == DimSymbol.Rank);
        int total = saved.Length == 0 ? 0 : fixedElements + input.Columns.Factor;
        return FormattableString.Invariant($"{total:N0} elements") + (ranks > 0 ? FormattableString.Invariant($" + {ranks} r") : "");
    }
}
