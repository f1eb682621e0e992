using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using ModelCompiler.Compiler.Description;
using ModelCompiler.Compiler.Writing;
using ModelCompiler.Generators.Parsing;

namespace ModelCompiler.Generators.Stubs;

/// <summary>Reads what a description declares, whatever is wrong with it.</summary>
internal static class StubParser
{
    private static readonly SymbolDisplayFormat TypeFormat =
        SymbolDisplayFormat.FullyQualifiedFormat.AddMiscellaneousOptions(SymbolDisplayMiscellaneousOptions.EscapeKeywordIdentifiers);

    /// <summary>Modifiers that both halves of a property may have.</summary>
    private static readonly SyntaxKind[] Repeated =
    [
        SyntaxKind.PublicKeyword, SyntaxKind.InternalKeyword, SyntaxKind.ProtectedKeyword, SyntaxKind.PrivateKeyword, SyntaxKind.StaticKeyword, SyntaxKind.VirtualKeyword,
        SyntaxKind.NewKeyword, SyntaxKind.UnsafeKeyword, SyntaxKind.RequiredKeyword, SyntaxKind.PartialKeyword,
    ];

    /// <summary>Null where nothing can be added to the class, or nothing is missing from it.</summary>
    /// <param name="type">The class.</param>
    /// <param name="properties">Whether the project's version of C# has partial properties.</param>
    public static StubSpec? Parse(INamedTypeSymbol type, bool properties)
    {
        INamedTypeSymbol[] blocks = [.. type.GetTypeMembers().Where(static nested => nested.Has("Block") && CanContinue(nested))];
        var classes = new List<string>();
        for (INamedTypeSymbol? around = type; around is not null; around = around.ContainingType)
        {
            if (!CanContinue(around))
            {
                return null;
            }

            classes.Insert(0, Header(around));
        }

        return blocks.Length == 0 ? null : new StubSpec(
            ArchitectureParser.NamespaceOf(type),
            new EquatableArray<string>(classes),
            new EquatableArray<string>(blocks.SelectMany(Missing).Distinct().Where(name => name != type.Name && type.GetMembers(name).IsEmpty)),
            properties ? new EquatableArray<StubBlock>(blocks.Select(static block => new StubBlock(Header(block), Properties(block)))) : default);
    }

    private static bool CanContinue(INamedTypeSymbol type) => !type.IsFileLocal && type.Name.Length > 0 && ClassRules.IsPartial(type);

    private static string Header(INamedTypeSymbol type)
    {
        string kind = (type.TypeKind, type.IsRecord) switch
        {
            (TypeKind.Struct, true) => "record struct",
            (TypeKind.Struct, _) => "struct",
            (TypeKind.Interface, _) => "interface",
            (_, true) => "record",
            _ => "class",
        };
        string parameters = type.Arity == 0 ? "" : "<" + string.Join(", ", type.TypeParameters.Select(static parameter => Identifier.Escape(parameter.Name))) + ">";
        return $"partial {kind} {Identifier.Escape(type.Name)}{parameters}";
    }

    /// <summary>Simple names in the types of the properties that mean nothing yet.</summary>
    private static IEnumerable<string> Missing(INamedTypeSymbol block) => block.GetMembers().OfType<IPropertySymbol>()
        .SelectMany(static property => Syntax(property) is { } syntax ? Errors(property.Type).Intersect(SimpleNames(syntax.Type)) : []);

    private static IEnumerable<string> SimpleNames(TypeSyntax type) => type.DescendantNodesAndSelf().OfType<IdentifierNameSyntax>()
        .Where(static name => name.Parent is not (QualifiedNameSyntax or AliasQualifiedNameSyntax))
        .Select(static name => name.Identifier.ValueText);

    private static IEnumerable<string> Errors(ITypeSymbol type) => type switch
    {
        IErrorTypeSymbol error => [error.Arity == 0 ? error.Name : error.MetadataName],
        INamedTypeSymbol named => named.TypeArguments.SelectMany(Errors),
        IArrayTypeSymbol array => Errors(array.ElementType),
        _ => [],
    };

    private static EquatableArray<string> Properties(INamedTypeSymbol block) => new(block.GetMembers().OfType<IPropertySymbol>()
        .Where(static property => property is { IsPartialDefinition: true, IsIndexer: false, PartialImplementationPart: null } && property.ExplicitInterfaceImplementations.IsEmpty)
        .GroupBy(static property => property.Name)
        .Select(static declarations => Property(declarations.First()))
        .OfType<string>());

    private static string? Property(IPropertySymbol property)
    {
        if (Syntax(property) is not { AccessorList: { } accessors } syntax
            || syntax.Modifiers.Any(static modifier => !Repeated.Contains(modifier.Kind()))
            || Errors(property.Type).Except(SimpleNames(syntax.Type)).Any())
        {
            return null;
        }

        string reference = property.RefKind switch { RefKind.Ref => "ref ", RefKind.RefReadOnly => "ref readonly ", _ => "" };
        string bodies = string.Concat(accessors.Accessors.Select(static accessor => $"{string.Concat(accessor.Modifiers.Select(static modifier => modifier.Text + " "))}{accessor.Keyword.Text} => throw null; "));
        return $"{string.Join(" ", syntax.Modifiers.Select(static modifier => modifier.Text))} {reference}{TypeText(property.Type)} {Identifier.Escape(property.Name)} {{ {bodies}}}";
    }

    // A type that means nothing yet is not known to be no keyword.
    private static string TypeText(ITypeSymbol type) => string.Concat(type.ToDisplayParts(TypeFormat)
        .Select(static part => part.Kind == SymbolDisplayPartKind.ErrorTypeName ? Identifier.Escape(part.ToString().TrimStart('@')) : part.ToString()));

    private static PropertyDeclarationSyntax? Syntax(IPropertySymbol property) =>
        property.DeclaringSyntaxReferences.FirstOrDefault()?.GetSyntax() as PropertyDeclarationSyntax;
}
