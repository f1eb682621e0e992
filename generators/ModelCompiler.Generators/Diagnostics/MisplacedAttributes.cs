using Microsoft.CodeAnalysis;
using ModelCompiler.Compiler.Description;
using ModelCompiler.Generators.Parsing;

namespace ModelCompiler.Generators.Diagnostics;

/// <summary>Finds attributes that nothing reads where they are: the compiler would ignore them without a word.</summary>
internal static class MisplacedAttributes
{
    private static readonly string[] OfTransformer = ["TokenEmbedding", "LearnedPositions", "Head", .. ModelAttributes.Norms];

    private static readonly string[] OfRecipe = ["Frozen", "MemoryBudget"];

    public static IEnumerable<Diagnostic> Find(INamedTypeSymbol type)
    {
        bool transformer = type.Has("Transformer");
        bool recipe = type.Has("FineTune");
        foreach (AttributeData attribute in type.GetAttributes())
        {
            string? name = ModelAttributes.NameOf(attribute);
            if (OfTransformer.Contains(name) && !transformer)
            {
                yield return Create(ProblemIds.MisplacedPart, attribute, name!, type.Name, "Transformer");
            }
            else if ((OfRecipe.Contains(name) || ModelAttributes.IsAdapter(attribute)) && !recipe)
            {
                yield return Create(ProblemIds.MisplacedPart, attribute, ModelAttributes.WithoutSuffix(attribute.AttributeClass!.Name), type.Name, "FineTune<T>");
            }
        }

        if (type.Has("Block"))
        {
            yield break;
        }

        foreach (IPropertySymbol property in type.GetMembers().OfType<IPropertySymbol>())
        {
            foreach (AttributeData attribute in property.GetAttributes().Where(static attribute => ModelAttributes.OnSublayer.Contains(ModelAttributes.NameOf(attribute))))
            {
                yield return Create(ProblemIds.MisplacedSublayer, attribute, ModelAttributes.NameOf(attribute)!, property.Name);
            }
        }
    }

    private static Diagnostic Create(string id, AttributeData attribute, params string[] arguments) =>
        Diagnostic.Create(DiagnosticDescriptors.Of(id), attribute.ApplicationSyntaxReference?.GetSyntax().GetLocation() ?? Location.None, [.. arguments]);
}
