using Microsoft.CodeAnalysis;

namespace ModelCompiler.Generators.Parsing;

/// <summary>Finds the product's attributes on symbols. Names are given without their suffix, as the user writes them.</summary>
internal static class ModelAttributes
{
    public const string Namespace = "ModelCompiler";

    /// <summary>What a sublayer can be.</summary>
    public static readonly string[] Kinds = ["Attention", "SwiGlu", "GeGlu", "Gelu"];

    /// <summary>The norms.</summary>
    public static readonly string[] Norms = ["RmsNorm", "LayerNorm"];

    /// <summary>Attributes that only mean something on a sublayer.</summary>
    public static readonly string[] OnSublayer = [.. Kinds, .. Norms, "Rotary", "QueryKeyNorm", "LayerScale"];

    /// <summary>The attribute's name without its suffix, or null for one that is not the product's.</summary>
    public static string? NameOf(AttributeData attribute)
    {
        INamedTypeSymbol? type = attribute.AttributeClass;
        return type is { ContainingNamespace: { Name: Namespace, ContainingNamespace.IsGlobalNamespace: true } } && type.ContainingType is null
            ? WithoutSuffix(type.Name)
            : null;
    }

    public static AttributeData? Find(this ISymbol symbol, string name) =>
        symbol.GetAttributes().FirstOrDefault(attribute => NameOf(attribute) == name);

    public static bool Has(this ISymbol symbol, string name) => symbol.Find(name) is not null;

    /// <summary>Whether an attribute is an adapter: any class derived from AdapterAttribute, the user's own too.</summary>
    public static bool IsAdapter(AttributeData attribute)
    {
        for (INamedTypeSymbol? type = attribute.AttributeClass?.BaseType; type is not null; type = type.BaseType)
        {
            if (type is { Name: "AdapterAttribute", ContainingNamespace: { Name: Namespace, ContainingNamespace.IsGlobalNamespace: true } })
            {
                return true;
            }
        }

        return false;
    }

    public static string WithoutSuffix(string className) =>
        className.EndsWith("Attribute", StringComparison.Ordinal) ? className.Substring(0, className.Length - "Attribute".Length) : className;
}
