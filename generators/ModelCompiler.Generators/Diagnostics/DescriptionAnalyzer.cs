using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;
using ModelCompiler.Compiler.Description;
using ModelCompiler.Compiler.Validation;
using ModelCompiler.Generators.Parsing;

namespace ModelCompiler.Generators.Diagnostics;

/// <summary>
/// Warns: of attributes without an effect, and of what a sound recipe should be told. Errors are the generator's to report, since no analyzer
/// is asked where the project has other errors.
/// </summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class DescriptionAnalyzer : DiagnosticAnalyzer
{
    /// <inheritdoc />
    public override ImmutableArray<DiagnosticDescriptor> SupportedDiagnostics { get; } = [.. DiagnosticDescriptors.All.Where(static descriptor => descriptor.DefaultSeverity == DiagnosticSeverity.Warning)];

    /// <inheritdoc />
    public override void Initialize(AnalysisContext context)
    {
        context.EnableConcurrentExecution();

        // A described class counts as generated code once its other half is: it must be analyzed all the same.
        context.ConfigureGeneratedCodeAnalysis(GeneratedCodeAnalysisFlags.Analyze | GeneratedCodeAnalysisFlags.ReportDiagnostics);
        context.RegisterSymbolAction(static symbol => Analyze(symbol), SymbolKind.NamedType);
    }

    private static void Analyze(SymbolAnalysisContext context)
    {
        var type = (INamedTypeSymbol)context.Symbol;
        if (type.TypeKind != TypeKind.Class)
        {
            return;
        }

        foreach (Diagnostic diagnostic in MisplacedAttributes.Find(type))
        {
            context.ReportDiagnostic(diagnostic);
        }

        if (!type.Has("FineTune") || DescriptionParser.Parse(type).Spec is not { Recipe: not null } spec || ModelValidation.Check(spec).Count > 0)
        {
            return;
        }

        foreach (Problem problem in ModelValidation.CheckWarnings(spec))
        {
            context.ReportDiagnostic(Diagnostic.Create(DiagnosticDescriptors.Of(problem.Id), OriginLocator.Find(type, problem.Origin), [.. problem.Arguments]));
        }
    }
}
