using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Text;
using ModelCompiler.Compiler.Description;

namespace ModelCompiler.Generators.Diagnostics;

/// <summary>
/// A diagnostic as plain values. Errors are the generator's to report: where the C# compiler cannot get past the declarations of a project,
/// it never asks an analyzer.
/// </summary>
internal sealed record PlainDiagnostic(string Id, DiagnosticSeverity Severity, EquatableArray<string> Arguments, string Path, TextSpan Span, LinePositionSpan Lines)
{
    /// <summary>The diagnostics of problems that the project does not suppress, by #pragma or .editorconfig.</summary>
    public static EquatableArray<PlainDiagnostic> Of(INamedTypeSymbol type, EquatableArray<Problem> problems, Compilation compilation)
    {
        var plain = new List<PlainDiagnostic>();
        foreach (Problem problem in problems)
        {
            Location location = OriginLocator.Find(type, problem.Origin);
            Diagnostic diagnostic = Diagnostic.Create(DiagnosticDescriptors.Of(problem.Id), location, [.. problem.Arguments]);
            FileLinePositionSpan lines = location.GetLineSpan();
            plain.AddRange(CompilationWithAnalyzers.GetEffectiveDiagnostics([diagnostic], compilation)
                .Where(static effective => !effective.IsSuppressed)
                .Select(effective => new PlainDiagnostic(problem.Id, effective.Severity, problem.Arguments, lines.Path ?? "", location.SourceSpan, lines.Span)));
        }

        return new EquatableArray<PlainDiagnostic>(plain);
    }

    public Diagnostic ToDiagnostic()
    {
        DiagnosticDescriptor descriptor = DiagnosticDescriptors.Of(Id);
        return Diagnostic.Create(descriptor, Location.Create(Path, Span, Lines), Severity, additionalLocations: null, properties: null, [.. Arguments]);
    }
}
