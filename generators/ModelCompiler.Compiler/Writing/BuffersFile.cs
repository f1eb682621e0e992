using ModelCompiler.Compiler.Description;
using ModelCompiler.Planning;

namespace ModelCompiler.Compiler.Writing;

/// <summary>X.Buffers.g.cs: the buffers of each region by name.</summary>
internal static class BuffersFile
{
    public static SourceFile Write(ModelTypes types)
    {
        ModelSpec spec = types.Spec;
        SourceWriter w = FileHeader.Open(spec);
        Write(w, "LayerBuffers", "The buffers of one layer; one that the plan does not need is <see cref=\"§Tensor.None\"/>. T tokens, r the rank of an adapter.", types.LayerFrames);
        Write(w.Line(), "PrologueBuffers", "The buffers of the prologue.", types.PrologueFrames);
        Write(w.Line(), "LossBuffers", "The buffers of one chunk of R rows of the loss, or of the head.", types.LossFrames,
            ("Tensor LossRows => frame.LossRows;", "[R, 1]  indices of the chunk's rows among all tokens"),
            ("Tensor Targets => frame.Targets;", "[R, 1]"),
            ("int FirstRow => frame.FirstRow;", "the chunk's first row among those of all chunks"));
        w.Close();
        return new SourceFile($"{spec.Type.Name}.Buffers.g.cs", w.ToString());
    }

    private static void Write(SourceWriter w, string name, string summary, FrameUnion union, params (string Member, string Note)[] members)
    {
        (string Member, string Note)[] all =
        [
            .. members,
            .. union.Names.Select(static (buffer, i) => (FormattableString.Invariant($"Tensor {buffer.Name} => frame.At({i});"), $"[{buffer.Rows}, {buffer.Columns}]")),
        ];
        int width = all.Max(static member => member.Member.Length);
        w.Line($"/// <summary>{summary}</summary>").Open($"private readonly struct {name}(§Frame frame)");
        foreach ((string member, string note) in all)
        {
            w.Line($"public {(member[0] == 'T' ? "§" : "")}{member.PadRight(width)}  // {note}");
        }

        w.Close();
    }
}
