using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using ModelCompiler.Compiler.Description;
using ModelCompiler.Generators.Parsing;

namespace ModelCompiler.Generators.Stubs;

/// <summary>Reads what a description declares, whatever is wrong with it.</summary>
internal static class StubParser
{
    /// <summary>Whether a stub leaves errors in the declarations: classes that it cannot continue, or a property that is there twice.</summary>
    public static bool LeavesErrors(INamedTypeSymbol type) => Blocks(type).Any(block =>
    {
        string[] names = [.. PartialProperties(block).Select(static property => property.Name)];
        return names.Length > 0 && (!CanContinue(type) || !CanContinueBlock(block) || names.Distinct().Count() < names.Length);
    });

    /// <summary>Null where nothing can be added to the class, or nothing is missing from it.</summary>
    public static StubSpec? Parse(INamedTypeSymbol type)
    {
        INamedTypeSymbol[] blocks = [.. Blocks(type).Where(CanContinueBlock)];
        if (blocks.Length == 0 || !CanContinue(type))
        {
            return null;
        }

        IEnumerable<string> missing = type.GetTypeMembers()
            .SelectMany(static block => block.GetMembers().OfType<IPropertySymbol>())
            .Where(static property => property.Type.TypeKind == TypeKind.Error)
            .Select(static property => (Syntax(property)?.Type as IdentifierNameSyntax)?.Identifier.ValueText)
            .OfType<string>();
        return new StubSpec(
            ArchitectureParser.TypeOf(type).Namespace,
            type.Name,
            new EquatableArray<string>(missing.Distinct()),
            new EquatableArray<StubBlock>(blocks.Select(static block => new StubBlock(block.Name, Properties(block)))));
    }

    private static IEnumerable<INamedTypeSymbol> Blocks(INamedTypeSymbol type) => type.GetTypeMembers().Where(static nested => nested.Has("Block"));

    private static bool CanContinue(INamedTypeSymbol type) => type is { ContainingType: null, Arity: 0, IsFileLocal: false } && ClassRules.IsPartial(type);

    private static bool CanContinueBlock(INamedTypeSymbol block) => block.Arity == 0 && ClassRules.IsPartial(block);

    private static IEnumerable<IPropertySymbol> PartialProperties(INamedTypeSymbol block) =>
        block.GetMembers().OfType<IPropertySymbol>().Where(static property => property is { IsPartialDefinition: true, IsIndexer: false });

    private static EquatableArray<StubProperty> Properties(INamedTypeSymbol block) => new(PartialProperties(block)
        .Select(Syntax)
        .OfType<PropertyDeclarationSyntax>()
        .GroupBy(static property => property.Identifier.ValueText)
        .Select(static declarations => Property(declarations.First())));

    private static StubProperty Property(PropertyDeclarationSyntax property) => new(
        property.Modifiers.ToString(),
        property.Type.ToString(),
        property.Identifier.Text,
        property.AccessorList?.Accessors.Select(static accessor => accessor.Keyword.Text).FirstOrDefault(static keyword => keyword != "get") ?? "");

    private static PropertyDeclarationSyntax? Syntax(IPropertySymbol property) =>
        property.DeclaringSyntaxReferences.FirstOrDefault()?.GetSyntax() as PropertyDeclarationSyntax;
}
