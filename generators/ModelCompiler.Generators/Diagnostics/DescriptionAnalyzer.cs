using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;
using ModelCompiler.Compiler.Description;
using ModelCompiler.Generators.Parsing;

namespace ModelCompiler.Generators.Diagnostics;

/// <summary>Says what is wrong with a description, where it is written, so that #pragma and .editorconfig reach it.</summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class DescriptionAnalyzer : DiagnosticAnalyzer
{
    /// <inheritdoc />
    public override ImmutableArray<DiagnosticDescriptor> SupportedDiagnostics { get; } = [.. DiagnosticDescriptors.All.Where(static descriptor => descriptor.Id != ProblemIds.PlannedPeak)];

    /// <inheritdoc />
    public override void Initialize(AnalysisContext context)
    {
        context.EnableConcurrentExecution();

        // A described class counts as generated code once its other half is: it must be analysed all the same.
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

        foreach (Problem problem in Problems(type))
        {
            context.ReportDiagnostic(Diagnostic.Create(DiagnosticDescriptors.Of(problem.Id), OriginLocator.Find(type, problem.Origin), [.. problem.Arguments]));
        }
    }

    private static EquatableArray<Problem> Problems(INamedTypeSymbol type)
    {
        if (!type.Has("Transformer") && !type.Has("FineTune"))
        {
            return default;
        }

        ParsedDescription parsed = DescriptionParser.Parse(type);
        if (parsed.Spec is not { } spec)
        {
            return parsed.Problems;
        }

        // The architecture's class reports its own sizes; a recipe over a bad one has nothing to be measured against.
        EquatableArray<Problem> architecture = Validation.CheckArchitecture(spec);
        if (spec.Recipe is null)
        {
            return architecture;
        }

        EquatableArray<Problem> recipe = architecture.Count > 0 ? default : Validation.CheckRecipe(spec);
        return architecture.Count + recipe.Count > 0 ? recipe : new EquatableArray<Problem>([.. Validation.CheckWarnings(spec), .. Validation.CheckBudgets(spec)]);
    }
}
