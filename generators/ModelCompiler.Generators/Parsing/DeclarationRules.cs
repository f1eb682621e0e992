using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using ModelCompiler.Compiler.Description;

namespace ModelCompiler.Generators.Parsing;

/// <summary>
/// What the user's half of a class may hold beside the description, so that the generated half fits to it. Asked before there is one: afterwards
/// its members would be taken for the user's.
/// </summary>
internal sealed class DeclarationRules
{
    private const string BaseClass = "ModelCompiler.Models.TransformerModel";

    private const LanguageVersion Lowest = LanguageVersion.CSharp13;

    /// <summary>Generated methods that nothing generated calls by their simple names, with the number of their parameters: another number is another method.</summary>
    private static readonly Dictionary<string, int> Overloadable = new(StringComparer.Ordinal)
    {
        ["Create"] = 2,
        ["Fit"] = 4,
        ["ForGeneration"] = 3,
        ["ForTraining"] = 2,
        ["MemoryCost"] = 2,
    };

    private readonly ProblemList _problems;
    private readonly INamedTypeSymbol? _base;

    private DeclarationRules(Compilation compilation, ProblemList problems) => (_base, _problems) = (compilation.GetTypeByMetadataName(BaseClass), problems);

    /// <summary>Checks the class of an architecture or a recipe, and an architecture's block.</summary>
    public static void Check(INamedTypeSymbol type, TypeDeclarationSyntax declaration, SemanticModel model, ProblemList problems)
    {
        var rules = new DeclarationRules(model.Compilation, problems);
        rules.CheckLanguage(type, declaration);
        if (HiddenNames.Unreachable(type, model, declaration) is { } hidden)
        {
            problems.Add(ProblemIds.NameUnreachable, new Origin(""), type.Name, hidden);
        }

        rules.CheckModel(type);
        foreach (INamedTypeSymbol block in type.GetTypeMembers().Where(nested => type.Has("Transformer") && nested.Has("Block")))
        {
            rules.CheckBlock(block);
        }
    }

    /// <summary>Checks that what a recipe has of its architecture does not take the recipe's own name.</summary>
    public static void CheckRecipe(ModelSpec spec, ProblemList problems)
    {
        if (spec.Recipe is not null && (spec.Type.Name == spec.Block.ClassName || spec.Block.Sublayers.Any(sublayer => sublayer.TypeName == spec.Type.Name)))
        {
            problems.Add(ProblemIds.ReservedName, new Origin(""), spec.Type.Name, $"a recipe over '{spec.Recipe.Architecture}'");
        }
    }

    private void CheckLanguage(INamedTypeSymbol type, TypeDeclarationSyntax declaration)
    {
        if (IsTooLow(declaration.SyntaxTree, out LanguageVersion version))
        {
            _problems.Add(ProblemIds.LanguageTooLow, new Origin(""), type.Name, Lowest.ToDisplayString(), version.ToDisplayString());
        }
    }

    /// <summary>Whether generated code cannot be parsed as the project's files are.</summary>
    public static bool IsTooLow(SyntaxTree tree, out LanguageVersion version)
    {
        version = tree.Options is CSharpParseOptions options ? options.LanguageVersion : Lowest;
        return version < Lowest;
    }

    private void CheckModel(INamedTypeSymbol type)
    {
        CheckBase(type, new Origin(""), BaseClass);
        string[] sublayerTypes = [.. type.GetTypeMembers().Where(static nested => nested.Has("Block")).SelectMany(SublayerTypes)];
        foreach (ISymbol member in type.GetMembers().Where(static member => !member.IsImplicitlyDeclared && member.Name.Length > 0))
        {
            CheckCreation(member, type);
            if (member.Has("Block"))
            {
                continue;
            }

            if (member is INamedTypeSymbol && sublayerTypes.Contains(member.Name))
            {
                _problems.Add(ProblemIds.TypeNameTaken, new Origin(member.Name), member.Name, member.Name);
            }
            else if (IsTaken(member))
            {
                _problems.Add(ProblemIds.ReservedName, new Origin(member.Name), member.Name, "a model's member");
            }
        }
    }

    private void CheckBlock(INamedTypeSymbol block)
    {
        var origin = new Origin(block.Name);
        CheckBase(block, origin, "");
        if (block.Name == block.ContainingType.Name || block.Name == "Index")
        {
            _problems.Add(ProblemIds.ReservedName, origin, block.Name, "a block");
        }

        string[] sublayers = [.. block.GetMembers().OfType<IPropertySymbol>().Where(SublayerParser.IsSublayer).Select(static property => property.Name)];
        string[] types = [.. SublayerTypes(block), block.ContainingType.Name];
        foreach (ISymbol member in block.GetMembers().Where(static member => !member.IsImplicitlyDeclared && member.Name.Length > 0))
        {
            CheckCreation(member, block);
            bool sublayer = sublayers.Contains(member.Name);
            bool taken = sublayer
                ? member.Name == block.Name && !ReservedNames.IsReservedProperty(member.Name)
                : member.Name == "Index" || (member is INamedTypeSymbol && types.Contains(member.Name)) || sublayers.Any(property => IsFieldOf(property, member.Name));
            if (taken)
            {
                _problems.Add(ProblemIds.ReservedName, new Origin(member.Name), member.Name, sublayer ? "a sublayer" : "a block's member");
            }
        }
    }

    private void CheckBase(INamedTypeSymbol type, Origin origin, string allowed)
    {
        if (type.TypeKind == TypeKind.Class && type.BaseType is { SpecialType: not SpecialType.System_Object, TypeKind: not TypeKind.Error } @base && @base.ToDisplayString() != allowed)
        {
            _problems.Add(ProblemIds.OwnBaseClass, origin, type.Name, @base.ToDisplayString(SymbolDisplayFormat.MinimallyQualifiedFormat));
        }
    }

    private void CheckCreation(ISymbol member, INamedTypeSymbol type)
    {
        string? what = member switch
        {
            IMethodSymbol { MethodKind: MethodKind.Constructor } => "a constructor",
            IPropertySymbol { IsRequired: true } or IFieldSymbol { IsRequired: true } => $"the required member '{member.Name}'",
            _ => null,
        };
        if (what is not null)
        {
            _problems.Add(ProblemIds.OwnConstructor, new Origin(member.Name), type.Name, what);
        }
    }

    private bool IsTaken(ISymbol member)
    {
        if (member is IMethodSymbol { MethodKind: not MethodKind.Ordinary } || member is IMethodSymbol { AssociatedSymbol: not null } || !member.CanBeReferencedByName)
        {
            return false;
        }

        if (member is IMethodSymbol method && Overloadable.TryGetValue(member.Name, out int parameters))
        {
            return method.Parameters.Length == parameters;
        }

        return ReservedNames.IsGeneratedMember(member.Name) || (_base?.MemberNames.Contains(member.Name) == true);
    }

    private static IEnumerable<string> SublayerTypes(INamedTypeSymbol block) =>
        block.GetMembers().OfType<IPropertySymbol>().Where(SublayerParser.IsSublayer).Select(SublayerParser.TypeName).OfType<string>();

    // The field behind a property is named after it; further letters keep it apart from others.
    private static bool IsFieldOf(string property, string name) =>
        name.Length > 1 && name[0] == '_' && property.Length > 0 && name.StartsWith("_" + char.ToLowerInvariant(property[0]) + property.Substring(1), StringComparison.Ordinal);
}
