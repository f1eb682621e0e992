using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using ModelCompiler.Compiler.Description;
using ModelCompiler.Generators.Parsing;

namespace ModelCompiler.Generators.Diagnostics;

/// <summary>Finds the source that an <see cref="Origin"/> speaks of: the argument, else its attribute, else the member's name.</summary>
internal static class OriginLocator
{
    public static Location Find(INamedTypeSymbol type, Origin origin)
    {
        if (Member(type, origin) is not { } member)
        {
            return NameOf(type);
        }

        AttributeData? attribute = origin.Attribute.Length == 0
            ? null
            : member.GetAttributes().Where(candidate => candidate.AttributeClass is { } named && ModelAttributes.WithoutSuffix(named.Name) == origin.Attribute).ElementAtOrDefault(origin.Index);
        return attribute?.ApplicationSyntaxReference?.GetSyntax() is AttributeSyntax syntax
            ? (Argument(syntax, attribute, origin.Argument) ?? syntax).GetLocation()
            : NameOf(member);
    }

    private static ISymbol? Member(INamedTypeSymbol type, Origin origin)
    {
        if (origin.Member.Length == 0)
        {
            return type;
        }

        INamedTypeSymbol[] blocks = [.. type.GetTypeMembers().Where(static nested => nested.Has("Block"))];
        int index = origin.Attribute.Length == 0 ? origin.Index : 0;
        return blocks.FirstOrDefault(block => block.Name == origin.Member)
            ?? blocks.SelectMany(block => block.GetMembers(origin.Member)).OfType<IPropertySymbol>().ElementAtOrDefault(index)
            ?? blocks.Prepend(type).SelectMany(around => around.GetMembers(origin.Member)).FirstOrDefault(static member => !member.IsImplicitlyDeclared);
    }

    private static SyntaxNode? Argument(AttributeSyntax syntax, AttributeData attribute, string name)
    {
        if (name.Length == 0 || syntax.ArgumentList is not { } list)
        {
            return null;
        }

        AttributeArgumentSyntax? named = list.Arguments.FirstOrDefault(argument => (argument.NameEquals?.Name ?? argument.NameColon?.Name)?.Identifier.ValueText == name);
        if (named is not null)
        {
            return named;
        }

        int position = attribute.AttributeConstructor?.Parameters.FirstOrDefault(parameter => parameter.Name == name)?.Ordinal ?? -1;
        return position >= 0 && position < list.Arguments.Count && list.Arguments[position] is { NameEquals: null, NameColon: null } positional ? positional : null;
    }

    // A class in several parts has several names; the part with the product's attribute is the description.
    private static Location NameOf(ISymbol symbol)
    {
        SyntaxNode? declaration = symbol.GetAttributes()
            .Where(static attribute => ModelAttributes.NameOf(attribute) is not null)
            .Select(static attribute => attribute.ApplicationSyntaxReference?.GetSyntax().FirstAncestorOrSelf<MemberDeclarationSyntax>())
            .FirstOrDefault(static found => found is not null);
        return declaration switch
        {
            BaseTypeDeclarationSyntax type => type.Identifier.GetLocation(),
            PropertyDeclarationSyntax property => property.Identifier.GetLocation(),
            _ => symbol.Locations.FirstOrDefault() ?? Location.None,
        };
    }
}
