using Microsoft.CodeAnalysis;
using ModelCompiler.Compiler.Description;

namespace ModelCompiler.Generators.Parsing;

/// <summary>What reading one class gave.</summary>
/// <param name="Spec">The description; null when it could not be read.</param>
/// <param name="Problems">What this class itself has wrong in its form. A recipe does not repeat its architecture's problems.</param>
internal sealed record ParsedDescription(ModelSpec? Spec, EquatableArray<Problem> Problems);

/// <summary>Reads the attributes of a class with [Transformer] or [FineTune] into a <see cref="ModelSpec"/>.</summary>
internal static class DescriptionParser
{
    public static ParsedDescription Parse(INamedTypeSymbol type)
    {
        var problems = new ProblemList();
        AttributeData? fineTune = type.Find("FineTune");
        ModelSpec? spec = null;
        if (fineTune is not null && type.Has("Transformer"))
        {
            problems.Add(ProblemIds.ArchitectureAndRecipe, new Origin("", "FineTune"), type.Name);
        }
        else
        {
            spec = fineTune is null ? ArchitectureParser.Parse(type, problems) : RecipeParser.Parse(type, fineTune, problems);
        }

        return new ParsedDescription(problems.Count == 0 ? spec : null, problems.ToArray());
    }
}
