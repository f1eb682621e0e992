using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using ModelCompiler.Compiler.Description;
using ModelCompiler.Compiler.Validation;
using ModelCompiler.Generators.Diagnostics;
using ModelCompiler.Generators.Parsing;
using ModelCompiler.Generators.Stubs;

namespace ModelCompiler.Generators;

/// <summary>A sound description, or what stands in for one with errors.</summary>
/// <param name="Hint">What the names of its files begin with.</param>
/// <param name="Spec">The description; null when it has errors.</param>
/// <param name="Stub">What its declarations need; null where nothing can be added to its class.</param>
/// <param name="Errors">What is wrong with it.</param>
/// <param name="Budgeted">The description with its memory budgets; null where it has none to hold.</param>
internal sealed record Description(string Hint, ModelSpec? Spec, StubSpec? Stub, EquatableArray<PlainDiagnostic> Errors, ModelSpec? Budgeted = null)
{
    /// <summary>Nothing to generate, nothing to say.</summary>
    public static readonly Description None = new("", null, null, default);

    /// <summary>Reads a class with [Transformer] or [FineTune].</summary>
    public static Description Of(GeneratorAttributeSyntaxContext match, CancellationToken cancellation) => Guarded(match, () =>
    {
        var type = (INamedTypeSymbol)match.TargetSymbol;
        string attribute = ModelAttributes.NameOf(match.Attributes[0]) ?? "";

        // Said once: by the first declaration that has the attribute, and by [Transformer] where a class has both.
        if (type.Find(attribute)?.ApplicationSyntaxReference?.GetSyntax(cancellation) is not { } first
            || first.FirstAncestorOrSelf<TypeDeclarationSyntax>() != match.TargetNode
            || (attribute == "FineTune" && type.Has("Transformer")))
        {
            return None;
        }

        Compilation compilation = match.SemanticModel.Compilation;
        var problems = new ProblemList();
        DeclarationRules.Check(type, (TypeDeclarationSyntax)match.TargetNode, match.SemanticModel, problems);
        ParsedDescription parsed = DescriptionParser.Parse(type);
        EquatableArray<Problem> wrong = new(parsed.Problems.Concat(problems.ToArray()));
        if (parsed.Spec is { } spec)
        {
            DeclarationRules.CheckRecipe(spec, problems);

            // The architecture's class reports its own sizes; a recipe over a bad one has nothing to be measured against.
            EquatableArray<Problem> architecture = ModelValidation.CheckArchitecture(spec);
            wrong = new([.. problems.ToArray(), .. spec.Recipe is null ? architecture : architecture.Count > 0 ? default : ModelValidation.CheckRecipe(spec)]);
            if (wrong.Count + architecture.Count == 0)
            {
                ModelSpec sound = spec with { Type = spec.Type with { Hidden = HiddenNames.Find(type, spec, compilation) } };
                return sound.Recipe is not { Budgets.Count: > 0 } recipe
                    ? new Description(HintNames.Of(type), sound, null, default)
                    : new Description(HintNames.Of(type), sound with { Recipe = recipe with { Budgets = default } }, null, default, sound);
            }
        }

        // A recipe declares nothing that would be missing.
        StubSpec? stub = attribute == "Transformer" ? StubParser.Parse(type, properties: !DeclarationRules.IsTooLow(match.TargetNode.SyntaxTree, out _)) : null;
        return new Description(HintNames.Of(type), null, stub, PlainDiagnostic.Of(type, wrong, compilation));
    });

    /// <summary>Reads a class with [Block] that is in no architecture: nothing reads it, and its partial properties have no other half.</summary>
    public static Description OfLooseBlock(GeneratorAttributeSyntaxContext match) => Guarded(match, () =>
    {
        var block = (INamedTypeSymbol)match.TargetSymbol;
        return block.ContainingType?.Has("Transformer") == true
            ? None
            : new Description("", null, null, PlainDiagnostic.Of(block, new([new Problem(ProblemIds.MisplacedBlock, new Origin("", "Block"), new([block.Name]))]), match.SemanticModel.Compilation));
    });

    /// <summary>What is said of a description that the compiler itself failed on, so that it takes no other with it.</summary>
    public static Description Failed(TypeSpec type, string error, Compilation compilation) => Find(type, compilation) is { } found ? Failed(found, error, compilation) : None;

    /// <summary>What is said of a recipe whose plans exceed its budgets; its code is written all the same.</summary>
    public static Description Exceeding(TypeSpec type, EquatableArray<Problem> problems, Compilation compilation) =>
        Find(type, compilation) is { } found ? new Description("", null, null, PlainDiagnostic.Of(found, problems, compilation)) : None;

    /// <summary>The problem of a description that the compiler itself failed on.</summary>
    public static Problem Defect(string type, string error) => new(ProblemIds.CompilerDefect, new Origin(""), new([type, error]));

    private static Description Failed(INamedTypeSymbol type, string error, Compilation compilation) =>
        new(HintNames.Of(type), null, StubParser.Parse(type, properties: true), PlainDiagnostic.Of(type, new([Defect(type.Name, error)]), compilation));

    private static INamedTypeSymbol? Find(TypeSpec type, Compilation compilation) =>
        compilation.Assembly.GetTypeByMetadataName(type.Namespace.Length == 0 ? type.Name : type.Namespace + "." + type.Name);

    private static Description Guarded(GeneratorAttributeSyntaxContext match, Func<Description> read)
    {
        try
        {
            return read();
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            return Failed((INamedTypeSymbol)match.TargetSymbol, TextOf(e), match.SemanticModel.Compilation);
        }
    }

    /// <summary>An exception in one line: what happened, and where.</summary>
    public static string TextOf(Exception e) =>
        $"{e.GetType().Name}: {e.Message.Replace('\r', ' ').Replace('\n', ' ')}{(e.StackTrace?.Split('\n').FirstOrDefault() is { } line ? " " + line.Trim() : "")}";
}
