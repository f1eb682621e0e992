using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Text;
using ModelCompiler.Compiler.Description;

namespace ModelCompiler.Generators.Diagnostics;

/// <summary>
/// A diagnostic as plain values, for what the generator must say itself: where the C# compiler cannot get past the declarations,
/// it never asks an analyzer.
/// </summary>
internal sealed record PlainDiagnostic(string Id, EquatableArray<string> Arguments, string Path, TextSpan Span, LinePositionSpan Lines)
{
    public static PlainDiagnostic Of(INamedTypeSymbol type, Problem problem)
    {
        Location location = OriginLocator.Find(type, problem.Origin);
        FileLinePositionSpan lines = location.GetLineSpan();
        return new PlainDiagnostic(problem.Id, problem.Arguments, lines.Path ?? "", location.SourceSpan, lines.Span);
    }

    public Diagnostic ToDiagnostic() => Diagnostic.Create(DiagnosticDescriptors.Of(Id), Location.Create(Path, Span, Lines), [.. Arguments]);
}
