using System.Globalization;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Diagnostics;
using ModelCompiler.Generators.Diagnostics;

namespace ModelCompiler.Generators.Tests.Testing;

/// <summary>Runs the analyzers as a build does: over the compilation that already holds the generated files.</summary>
internal static class AnalyzerRun
{
    /// <summary>The product's diagnostics that are not suppressed, in the order of the source.</summary>
    public static async Task<Diagnostic[]> DiagnosticsOf(CSharpCompilation compilation)
    {
        Compilation output = GeneratorRun.Of(compilation).Output;
        CompilationWithAnalyzers analysis = output.WithAnalyzers([new DescriptionAnalyzer(), new PeakAnalyzer()]);
        return [.. (await analysis.GetAnalyzerDiagnosticsAsync()).OrderBy(diagnostic => diagnostic.Location.SourceSpan.Start).ThenBy(diagnostic => diagnostic.Id, StringComparer.Ordinal)];
    }

    public static Task<Diagnostic[]> DiagnosticsOf(params string[] sources) => DiagnosticsOf(Compilations.Create(sources));

    public static string Message(this Diagnostic diagnostic) => diagnostic.GetMessage(CultureInfo.InvariantCulture);
}
