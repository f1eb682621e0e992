using System.Globalization;
using ModelCompiler.Compiler.Description;
using ModelCompiler.Planning;

namespace ModelCompiler.Compiler.Writing;

/// <summary>X.Tables.g.cs: what the planner reads. A recipe has its architecture's tables, and beside them only what it adds.</summary>
internal static class TablesFile
{
    /// <summary>The frames of a variant: heads of their columns, and their names in <see cref="VariantFrames"/>.</summary>
    private static readonly (string Column, string Name)[] s_frames =
        [("none", "None"), ("selective", "Selective"), ("pass", "Pass"), ("block", "Recompute"), ("decode", "Decode")];

    public static SourceFile Write(ModelTypes types)
    {
        ModelSpec spec = types.Spec;
        ModelTables t = types.Tables;
        SourceWriter w = FileHeader.Open(spec);
        w.Line("// How long each buffer lives in a frame: from the operation that writes it to the last that reads it; backward's operations count on");
        w.Line("// from forward's. A column is a frame: by the checkpointing policy, of a forward that saves nothing (pass), of generation (decode).");
        (string, FrameBuffer[])[][] variants = [.. t.Variants.Select(static v => s_frames.Zip(Frames(v), static (head, frame) => (head.Column, frame.Buffers)).ToArray())];
        int highest = variants.Length - 1;
        Buffers(w, t.Variants[highest].Name, variants[highest]);
        for (int i = 0; i < highest; i++)
        {
            // The rows that are as in the highest layers are theirs.
            Buffers(w, t.Variants[i].Name, variants[i], (t.Variants[highest].Name, variants[highest]));
        }

        Buffers(w, "Prologue", [("prologue", t.Prologue.Buffers)]);
        Buffers(w, "Loss", [("loss", t.Loss.Buffers), ("head", t.Head.Buffers)]);
        string? shared = spec.Recipe?.SharedTables;
        w.Line("/// <summary>Everything the planner needs of this model.</summary>").Line("public static new §ModelTables Tables => s_tables;").Line();
        w.Line(shared is null ? "private static readonly §ModelTables s_tables = new()" : $"private static readonly §ModelTables s_tables = {shared} with").Open();
        w.Line($"Name = {Literal.Text(t.Name)},");
        if (shared is null)
        {
            WriteArchitecture(w, t);
        }

        w.Line($"Storage = {Literal.Text(t.Storage)},");
        WriteParameters(w, types, shared);
        Rows(w, "Slots", t.Slots.Select(OptionsText.Slot));
        w.Line("Variants =").Line("[").Deeper();
        foreach (VariantFrames v in t.Variants)
        {
            w.Line($"new({Literal.Text(v.Name)}, {Literal.Layers(v.Layers)},").Deeper();
            FrameTable[] frames = Frames(v);
            for (int i = 0; i < frames.Length; i++)
            {
                Frame(w, s_frames[i].Name + ": ", frames[i], v.Name, s_frames[i].Column, i + 1 < frames.Length ? "," : "),");
            }

            w.Back();
        }

        w.Back().Line("],");
        Frame(w, "Prologue = ", t.Prologue, "Prologue", "prologue", ",");
        Frame(w, "Loss = ", t.Loss, "Loss", "loss", ",");
        Frame(w, "Head = ", t.Head, "Loss", "head", ",");
        w.Close(";").Close();
        return new SourceFile($"{spec.Type.Name}.Tables.g.cs", w.ToString());
    }

    private static FrameTable[] Frames(VariantFrames v) => [v.None, v.Selective, v.Pass, v.Recompute, v.Decode];

    private static void WriteArchitecture(SourceWriter w, ModelTables t)
    {
        w.Line($"Architecture = {Literal.Text(t.Architecture)},");
        w.Line(FormattableString.Invariant($"Vocabulary = {t.Vocabulary},")).Line(FormattableString.Invariant($"Width = {t.Width},"));
        w.Line(FormattableString.Invariant($"Context = {t.Context},")).Line(FormattableString.Invariant($"Layers = {t.Layers},"));
        w.Line($"CacheWidths = [{string.Join(", ", t.CacheWidths.Select(static c => c.ToString(CultureInfo.InvariantCulture)))}],");
        w.Line($"Sublayers = [{string.Join(", ", t.Sublayers.Select(static s => $"new({Literal.Text(s.Name)}, §SublayerKind.{s.Kind})"))}],");
        Rows(w, "Configuration", t.Configuration.Select(static c => $"{Literal.Text(c.Key)}, {Literal.Text(c.Value)}, {(c.Default is null ? "null" : Literal.Text(c.Default))}"));
    }

    private static void WriteParameters(SourceWriter w, ModelTypes types, string? shared)
    {
        ParameterInfo[] parameters = types.Tables.Parameters;
        if (shared is null)
        {
            Rows(w, "Parameters", parameters.Select(Parameter));
            return;
        }

        int ofArchitecture = types.Model.Network.Parameters.Length;
        string[] formats =
        [
            .. parameters.Take(ofArchitecture).Where(static p => p.Format != WeightFormat.Compute).GroupBy(static p => p.Format)
                .Select(static group => $"({Literal.Format(group.Key)}, [{string.Join(", ", group.Select(static p => Literal.Text(p.Path)))}])"),
        ];
        w.Line("Parameters =").Line("[").Deeper();
        if (formats.Length == 0)
        {
            w.Line($".. {shared}.Frozen(),");
        }
        else
        {
            w.Line($".. {shared}.Frozen(").Deeper();
            for (int i = 0; i < formats.Length; i++)
            {
                w.Line(formats[i] + (i + 1 < formats.Length ? "," : "),"));
            }

            w.Back();
        }

        foreach (ParameterInfo parameter in parameters.Skip(ofArchitecture))
        {
            w.Line($"new({Parameter(parameter)}),");
        }

        w.Back().Line("],");
    }

    private static void Rows(SourceWriter w, string property, IEnumerable<string> rows)
    {
        string[] all = [.. rows];
        if (all.Length == 0)
        {
            w.Line($"{property} = [],");
            return;
        }

        w.Line($"{property} =").Line("[").Deeper();
        foreach (string row in all)
        {
            w.Line($"new({row}),");
        }

        w.Back().Line("],");
    }

    private static string Parameter(ParameterInfo p) => string.Concat(
        $"{Literal.Text(p.Path)}, {Literal.Dimension(p.Rows)}, {Literal.Dimension(p.Columns)}",
        p.Format == WeightFormat.Compute ? "" : $", {Literal.Format(p.Format)}",
        p.PerLayer ? ", PerLayer: true" : "",
        p.Trainable ? ", Trainable: true" : "",
        p.Kind == ParameterKind.Matrix ? "" : $", Kind: §ParameterKind.{p.Kind}",
        p.Slot < 0 ? "" : FormattableString.Invariant($", Slot: {p.Slot}"),
        p.Layers is null ? "" : $", Layers: {Literal.Layers(p.Layers)}",
        p.SupportsPartialUpdate ? ", SupportsPartialUpdate: true" : "",
        p.TrainingOnly ? ", TrainingOnly: true" : "");

    private static void Buffers(SourceWriter w, string name, (string, FrameBuffer[])[] frames, (string Name, (string, FrameBuffer[])[] Frames)? rest = null)
    {
        string other = rest is null ? "" : Field(rest.Value.Name) + ", ";
        w.Line($"private static readonly §BufferTable {Field(name)} = §BufferTable.Read({other}\"\"\"").Deeper();
        w.Raw(BufferTable.Write(frames, rest?.Frames));
        w.Line("\"\"\");").Back().Line();
    }

    private static void Frame(SourceWriter w, string head, FrameTable frame, string buffers, string column, string after)
    {
        string backward = frame.Backward == default ? "" : $", Backward: {Literal.Work(frame.Backward)}";
        w.Line(string.Concat(
            $"{head}new({Literal.Text(frame.Name)}, {Field(buffers)}[{Literal.Text(column)}], Forward: {Literal.Work(frame.Forward)}{backward}",
            frame.OutputOverInput ? ", OutputOverInput: true)" : ")",
            frame.Widened.Length == 0 ? after : ""));
        if (frame.Widened.Length > 0)
        {
            IEnumerable<string> lists = frame.Widened.Select(static widths => Literal.Text(string.Join(" ", widths.Select(static d => d.ToText()))));
            w.Line($"{{ Widened = §Dim.ParseAll({string.Join(", ", lists)}) }}{after}");
        }
    }

    private static string Field(string name) => $"s_{char.ToLowerInvariant(name[0])}{name.Substring(1)}Buffers";
}
