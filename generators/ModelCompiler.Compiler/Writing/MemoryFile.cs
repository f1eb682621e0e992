using ModelCompiler.Compiler.Description;
using ModelCompiler.Planning;

namespace ModelCompiler.Compiler.Writing;

/// <summary>X.Memory.g.cs: the tables the planner reads, the memory cost, and the frames' properties.</summary>
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
        w.Line("§MemoryPlanner.Cost(s_tables, plan, profile ?? §BackendProfile.Cpu(global::System.Environment.ProcessorCount));").Back().Line();
        w.Line("/// <summary>The best plan within a budget of bytes, by the same cost.</summary>");
        w.Line("/// <exception cref=\"global::System.ArgumentException\">The budget or an option is out of range for the model.</exception>");
        w.Line("public static §FitResult Fit(long budget, §FitObjective objective = §FitObjective.Fastest, §FitOptions? options = null, §BackendProfile? profile = null) =>").Deeper();
        w.Line("§TrainingPlan.Fit(s_tables, budget, objective, profile ?? §BackendProfile.Cpu(global::System.Environment.ProcessorCount), options);").Back().Line();

        WriteTables(w, t);
        Frame(w, "LayerFrame", "The buffers of one layer.", types.LayerFrames);
        Frame(w, "PrologueFrame", "The buffers of the prologue.", types.PrologueFrames);
        Frame(w, "LossFrame", "The buffers of one chunk of the loss, or of the head.", types.LossFrames);
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

    private static void WriteTables(SourceWriter w, ModelTables t)
    {
        w.Line("private static readonly §ModelTables s_tables = new §ModelTables()").Open();
        w.Line($"Name = {Text(t.Name)},").Line($"Architecture = {Text(t.Architecture)},").Line($"Storage = {Text(t.Storage)},");
        w.Line(FormattableString.Invariant($"Vocabulary = {t.Vocabulary},")).Line(FormattableString.Invariant($"Width = {t.Width},"));
        w.Line(FormattableString.Invariant($"Context = {t.Context},")).Line(FormattableString.Invariant($"Layers = {t.Layers},"));
        w.Line($"CacheWidths = new int[] {{ {string.Join(", ", t.CacheWidths.Select(c => c.ToString(System.Globalization.CultureInfo.InvariantCulture)))} }},");
        Rows(w, "Sublayers", "SublayerInfo", t.Sublayers.Select(s => $"{Text(s.Name)}, §SublayerKind.{s.Kind}"));
        Rows(w, "Configuration", "ConfigEntry", t.Configuration.Select(c => $"{Text(c.Key)}, {Text(c.Value)}, {(c.Default is null ? "null" : Text(c.Default))}"));
        Rows(w, "Parameters", "ParameterInfo", t.Parameters.Select(Parameter));
        Rows(w, "Slots", "AdapterSlot", t.Slots.Select(OptionsText.Slot));
        w.Line("Variants = new §VariantFrames[]").Open();
        foreach (VariantFrames v in t.Variants)
        {
            w.Line(FormattableString.Invariant($"new §VariantFrames({Text(v.Name)}, {v.FirstLayer},")).Deeper();
            Table(w, v.None, ",");
            Table(w, v.Selective, ",");
            Table(w, v.Pass, ",");
            Table(w, v.Recompute, ",");
            Table(w, v.Decode, "),");
            w.Back();
        }

        w.Close(",");
        w.Line("Prologue =").Deeper();
        Table(w, t.Prologue, ",");
        w.Back().Line("Loss =").Deeper();
        Table(w, t.Loss, ",");
        w.Back().Line("Head =").Deeper();
        Table(w, t.Head, ",");
        w.Back().Close(";");
    }

    private static void Rows(SourceWriter w, string property, string type, IEnumerable<string> rows)
    {
        w.Line($"{property} = new §{type}[]").Open();
        foreach (string row in rows)
        {
            w.Line($"new §{type}({row}),");
        }

        w.Close(",");
    }

    private static string Parameter(ParameterInfo p) => FormattableString.Invariant(
        $"{Text(p.Path)}, {Dimension(p.Rows)}, {Dimension(p.Columns)}, {Format(p.Format)}, {Flag(p.PerLayer)}, {Flag(p.Trainable)}, §ParameterKind.{p.Kind}, {p.Slot}, {p.FirstLayer}{(p.SupportsPartialUpdate ? ", true" : "")}{(p.TrainingOnly ? ", TrainingOnly: true" : "")}");

    private static string Format(WeightFormat f) => f.Storage switch
    {
        Storage.Float32 => "§WeightFormat.Compute",
        Storage.NF4 => FormattableString.Invariant($"§WeightFormat.NF4({f.BlockSize}, {Flag(f.DoubleQuantized)})"),
        Storage.Int8 or Storage.Int4 => FormattableString.Invariant($"§WeightFormat.{f.Storage}({f.BlockSize})"),
        _ when f.BlockSize > 0 => FormattableString.Invariant($"new §WeightFormat(global::ModelCompiler.Storage.{f.Storage}, {f.BlockSize}, {Flag(f.DoubleQuantized)})"),
        _ => $"§WeightFormat.{f.Storage}",
    };

    private static void Table(SourceWriter w, FrameTable table, string after)
    {
        w.Line(FormattableString.Invariant(
            $"new §FrameTable({Text(table.Name)}, {table.ForwardOps}, {table.BackwardOps}, {Flag(table.OutputOverInput)}, {Count(table.Forward)}, {Count(table.Backward)}, new §FrameBuffer[]"));
        w.Open();
        foreach (FrameBuffer r in table.Buffers)
        {
            string shares = r.Shares < 0 ? "" : FormattableString.Invariant($", {r.Shares}");
            shares += r.Statistic ? ", Statistic: true" : "";
            w.Line(FormattableString.Invariant(
                $"new §FrameBuffer({Text(r.Name)}, {Dimension(r.Rows)}, {Dimension(r.Columns)}, §BufferKind.{r.Kind}, {r.First}, {r.Last}{shares}),"));
        }

        w.Close($") {{ ForwardTraffic = {Count(table.ForwardTraffic)}, BackwardTraffic = {Count(table.BackwardTraffic)}{Widened(table)} }}{after}");
    }

    private static string Widened(FrameTable table) => table.Widened.Length == 0
        ? ""
        : $", Widened = new §Dim[][] {{ {string.Join(", ", table.Widened.Select(static w => $"new §Dim[] {{ {string.Join(", ", w.Select(Dimension))} }}"))} }}";

    private static string Count(Flops flops) => FormattableString.Invariant($"new §Flops({flops.PerRow:R}, {flops.PerRowAndPosition:R}, {flops.PerRowAndRank:R}, {flops.PerRowAndSquaredRank:R})");

    private static string Count(Traffic traffic) => FormattableString.Invariant(
        $"new §Traffic({traffic.PerRow:R}, {traffic.PerRowAndRank:R}, {traffic.Weights:R}, {traffic.PerRank:R}, {traffic.PerSquaredRank:R})");

    private static void Frame(SourceWriter w, string name, string summary, FrameUnion union)
    {
        w.Line().Line($"/// <summary>{summary}</summary>").Line(FileHeader.Generated).Open($"private readonly struct {name}").Line("private readonly §Frame _frame;").Line();
        w.Line($"public {name}(§Frame frame) => _frame = frame;");
        if (name == "LossFrame")
        {
            w.Line().Line("/// <summary>Indices of the chunk's rows among all tokens, [R, 1].</summary>").Line("public §Tensor LossRows => _frame.LossRows;");
            w.Line().Line("/// <summary>The chunk's targets, [R, 1].</summary>").Line("public §Tensor Targets => _frame.Targets;");
            w.Line().Line("/// <summary>Place of the chunk's first row among the rows of all chunks.</summary>").Line("public int FirstRow => _frame.FirstRow;");
        }

        for (int i = 0; i < union.Names.Count; i++)
        {
            FrameBuffer row = union.Names[i];
            w.Line().Line($"/// <summary>[{row.Rows}, {row.Columns}]</summary>");
            w.Line(FormattableString.Invariant($"public §Tensor {row.Name} => _frame.At({i});"));
        }

        w.Close();
    }

    private static string Dimension(Dim d) => d switch
    {
        { Symbol: DimSymbol.One } => FormattableString.Invariant($"new §Dim({d.Factor})"),
        { Factor: 1, Symbol: DimSymbol.Tokens } => "§Dim.Tokens",
        { Factor: 1, Symbol: DimSymbol.Rows } => "§Dim.Rows",
        { Factor: 1, Symbol: DimSymbol.Rank } => FormattableString.Invariant($"§Dim.Rank({d.Slot})"),
        _ => FormattableString.Invariant($"new §Dim({d.Factor}, §DimSymbol.{d.Symbol}, {d.Slot})"),
    };

    private static string Flag(bool value) => value ? "true" : "false";

    private static string Text(string value) => "\"" + value.Replace("\\", "\\\\").Replace("\"", "\\\"") + "\"";
}
