using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;
using ModelCompiler.Compiler.Description;
using ModelCompiler.Compiler.Validation;
using ModelCompiler.Generators.Parsing;

namespace ModelCompiler.Generators.Diagnostics;

/// <summary>
/// Shows what a recipe's plans take. An analyzer of its own, since the C# compiler does not run one whose diagnostics are all off: nothing is
/// planned in a project that did not ask for it.
/// </summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class PeakAnalyzer : DiagnosticAnalyzer
{
    private static readonly DiagnosticDescriptor Peak = DiagnosticDescriptors.Of(ProblemIds.PlannedPeak);

    /// <inheritdoc />
    public override ImmutableArray<DiagnosticDescriptor> SupportedDiagnostics { get; } = [Peak];

    /// <inheritdoc />
    public override void Initialize(AnalysisContext context)
    {
        context.EnableConcurrentExecution();

        // As for DescriptionAnalyzer: the other half of the class is generated code.
        context.ConfigureGeneratedCodeAnalysis(GeneratedCodeAnalysisFlags.Analyze | GeneratedCodeAnalysisFlags.ReportDiagnostics);
        context.RegisterSymbolAction(static symbol => Analyze(symbol), SymbolKind.NamedType);
    }

    private static void Analyze(SymbolAnalysisContext context)
    {
        var type = (INamedTypeSymbol)context.Symbol;
        if (type.TypeKind == TypeKind.Class && type.Has("FineTune") && DescriptionParser.Parse(type).Spec is { } spec && ModelValidation.Check(spec).Count == 0)
        {
            foreach (Problem planned in ModelValidation.PlannedPeaks(spec))
            {
                context.ReportDiagnostic(Diagnostic.Create(Peak, OriginLocator.Find(type, planned.Origin), [.. planned.Arguments]));
            }
        }
    }
}
