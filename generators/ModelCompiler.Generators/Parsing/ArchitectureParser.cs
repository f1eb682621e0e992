using Microsoft.CodeAnalysis;
using ModelCompiler.Compiler.Description;

namespace ModelCompiler.Generators.Parsing;

/// <summary>Reads a class with [Transformer].</summary>
internal static class ArchitectureParser
{
    private static readonly SymbolDisplayFormat Unescaped = new(typeQualificationStyle: SymbolDisplayTypeQualificationStyle.NameAndContainingTypesAndNamespaces);

    public static ModelSpec? Parse(INamedTypeSymbol type, ProblemList problems)
    {
        int before = problems.Count;
        ClassRules.CheckTopLevel(type, problems);

        var transformer = new AttributeArguments(type.Find("Transformer"));
        int width = transformer.Get("Width", 0);

        AttributeData? embedding = type.Find("TokenEmbedding");
        if (embedding is null)
        {
            problems.Add(ProblemIds.MissingTokenEmbedding, new Origin(""), type.Name);
        }

        NormSpec? finalNorm = NormParser.Parse(type, new Origin(""), problems);
        BlockSpec? block = ParseBlock(type, width, problems);
        if (block is null || problems.Count > before)
        {
            return null;
        }

        var embeddingArguments = new AttributeArguments(embedding);
        var head = new AttributeArguments(type.Find("Head"));
        return new ModelSpec(
            TypeOf(type),
            transformer.Get("Vocabulary", 0),
            width,
            transformer.Get("Context", 0),
            new EmbeddingSpec(embeddingArguments.Get("Tied", false), embeddingArguments.Get("Scale", 1f)),
            type.Has("LearnedPositions"),
            new HeadSpec(head.Get("Bias", false), head.Get("SoftCap", 0f)),
            finalNorm,
            block);
    }

    public static TypeSpec TypeOf(INamedTypeSymbol type) => new(
        NamespaceOf(type),
        type.Name,
        type.DeclaredAccessibility == Accessibility.Public ? "public" : "internal");

    /// <summary>The namespace of a class, without escapes; empty for the global one.</summary>
    public static string NamespaceOf(INamedTypeSymbol type) =>
        type.ContainingNamespace.IsGlobalNamespace ? "" : type.ContainingNamespace.ToDisplayString(Unescaped);

    private static BlockSpec? ParseBlock(INamedTypeSymbol type, int width, ProblemList problems)
    {
        INamedTypeSymbol[] blocks = [.. type.GetTypeMembers().Where(static nested => nested.Has("Block"))];
        switch (blocks.Length)
        {
            case 0:
                problems.Add(ProblemIds.MissingBlock, new Origin(""), type.Name);
                return null;
            case 1:
                return BlockParser.Parse(blocks[0], width, problems);
            default:
                problems.Add(ProblemIds.SeveralBlocks, new Origin(blocks[1].Name, "Block"), type.Name, string.Join(", ", blocks.Select(static block => block.Name)));
                return null;
        }
    }
}
