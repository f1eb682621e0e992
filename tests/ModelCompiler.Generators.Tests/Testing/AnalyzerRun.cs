using System.Globalization;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Diagnostics;
using ModelCompiler.Generators.Diagnostics;

namespace ModelCompiler.Generators.Tests.Testing;

/// <summary>What a build shows: what the generator reports, and what the analyzers do over the compilation that already holds the generated files.</summary>
internal static class AnalyzerRun
{
    /// <summary>The product's diagnostics that are not suppressed, in the order of the source.</summary>
    public static async Task<Diagnostic[]> DiagnosticsOf(CSharpCompilation compilation)
    {
        GeneratorRun run = GeneratorRun.Of(compilation);
        CompilationWithAnalyzers analysis = run.Output.WithAnalyzers([new DescriptionAnalyzer(), new PeakAnalyzer()]);
        return [.. Reported(run, compilation).Concat(await analysis.GetAnalyzerDiagnosticsAsync()).OrderBy(diagnostic => diagnostic.Location.SourceSpan.Start).ThenBy(diagnostic => diagnostic.Id, StringComparer.Ordinal)];
    }

    public static Task<Diagnostic[]> DiagnosticsOf(params string[] sources) => DiagnosticsOf(Compilations.Create(sources));

    /// <summary>What the generator reports, in the trees of its compilation.</summary>
    public static IEnumerable<Diagnostic> Reported(GeneratorRun run, CSharpCompilation compilation) => run.Result.Diagnostics.Select(diagnostic => InSource(diagnostic, compilation));

    // The generator keeps no syntax tree, so it reports by path.
    private static Diagnostic InSource(Diagnostic diagnostic, CSharpCompilation compilation)
    {
        SyntaxTree tree = compilation.SyntaxTrees.Single(tree => tree.FilePath == diagnostic.Location.GetLineSpan().Path);
        Assert.Equal(tree.GetLineSpan(diagnostic.Location.SourceSpan).Span, diagnostic.Location.GetLineSpan().Span);
        return Diagnostic.Create(
            diagnostic.Id, diagnostic.Descriptor.Category, diagnostic.Message(), diagnostic.Severity, diagnostic.DefaultSeverity, isEnabledByDefault: true, diagnostic.WarningLevel,
            location: Location.Create(tree, diagnostic.Location.SourceSpan));
    }

    public static string Message(this Diagnostic diagnostic) => diagnostic.GetMessage(CultureInfo.InvariantCulture);
}
