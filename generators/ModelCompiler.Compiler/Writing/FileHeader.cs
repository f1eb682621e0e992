using ModelCompiler.Compiler.Description;

namespace ModelCompiler.Compiler.Writing;

/// <summary>Head of the generated part of a class.</summary>
internal static class FileHeader
{
    /// <summary>The attribute of a generated type: tools that count or judge code leave it out.</summary>
    public static readonly string Generated =
        $"[global::System.CodeDom.Compiler.GeneratedCode(\"ModelCompiler\", \"{typeof(FileHeader).Assembly.GetName().Version.ToString(3)}\")]";

    /// <summary>Opens the class.</summary>
    /// <param name="spec">The model.</param>
    /// <param name="summary">Doc comment of this part of the class; null: none.</param>
    /// <param name="bases">Base list; null: none.</param>
    public static SourceWriter Open(ModelSpec spec, string? summary = null, string? bases = null)
    {
        var w = new SourceWriter(spec.Type);
        if (summary is not null)
        {
            w.Line($"/// <summary>{summary}</summary>").Line(Generated);
        }

        return w.Open($"partial class {Identifier.Escape(spec.Type.Name)}{(bases is null ? "" : " : " + bases)}");
    }
}
