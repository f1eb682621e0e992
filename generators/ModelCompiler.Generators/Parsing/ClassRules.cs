using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using ModelCompiler.Compiler.Description;

namespace ModelCompiler.Generators.Parsing;

/// <summary>What a class must be so that its other half can be generated. Classes of referenced assemblies were checked when they were built.</summary>
internal static class ClassRules
{
    public static bool IsFromSource(this ISymbol symbol) => !symbol.DeclaringSyntaxReferences.IsEmpty;

    /// <summary>Whether the compiler wrote it: an analyzer sees both halves of a class.</summary>
    public static bool IsGenerated(this ISymbol symbol) =>
        symbol.DeclaringSyntaxReferences.Any(static reference => reference.SyntaxTree.FilePath.EndsWith(".g.cs", StringComparison.OrdinalIgnoreCase));

    /// <summary>Checks the class of an architecture or a recipe.</summary>
    public static void CheckTopLevel(INamedTypeSymbol type, ProblemList problems)
    {
        if (!type.IsFromSource())
        {
            return;
        }

        var origin = new Origin("");
        if (!IsPartial(type))
        {
            problems.Add(ProblemIds.NotPartial, origin, type.Name);
        }

        if (type.ContainingType is not null || type.Arity > 0 || type.IsFileLocal)
        {
            string what = type.ContainingType is not null ? "nested" : type.Arity > 0 ? "generic" : "file-local";
            problems.Add(ProblemIds.NotTopLevel, origin, type.Name, what);
        }

        CheckPlain(type, origin, problems);
        CheckName(type.Name, "a model", origin, problems);
    }

    /// <summary>Checks the block's class.</summary>
    public static void CheckBlock(INamedTypeSymbol block, ProblemList problems)
    {
        if (!block.IsFromSource())
        {
            return;
        }

        var origin = new Origin(block.Name);
        if (!IsPartial(block))
        {
            problems.Add(ProblemIds.BlockNotPartial, origin, block.Name);
        }

        if (block.Arity > 0)
        {
            problems.Add(ProblemIds.NotTopLevel, origin, block.Name, "generic");
        }

        CheckPlain(block, origin, problems);
        CheckName(block.Name, "a block", origin, problems);
        INamedTypeSymbol architecture = block.ContainingType;
        if (block.DeclaredAccessibility != Accessibility.Public && block.DeclaredAccessibility != architecture.DeclaredAccessibility)
        {
            problems.Add(ProblemIds.LessAccessible, origin, block.Name, architecture.DeclaredAccessibility == Accessibility.Public ? "public" : "internal", architecture.Name);
        }
    }

    /// <summary>Checks the name of a class of the description.</summary>
    public static void CheckName(string name, string what, Origin origin, ProblemList problems)
    {
        if (ReservedNames.IsReservedType(name))
        {
            problems.Add(ProblemIds.ReservedName, origin, name, what);
        }
    }

    private static void CheckPlain(INamedTypeSymbol type, Origin origin, ProblemList problems)
    {
        string? what = type.IsRecord ? "a record" : type.TypeKind == TypeKind.Struct ? "a struct" : type.TypeKind == TypeKind.Interface ? "an interface"
            : type.IsStatic ? "static" : type.IsAbstract ? "abstract" : null;
        if (what is not null)
        {
            problems.Add(ProblemIds.NotAPlainClass, origin, type.Name, what);
        }
    }

    public static bool IsPartial(INamedTypeSymbol type) => type.DeclaringSyntaxReferences.Any(static reference =>
        reference.GetSyntax() is TypeDeclarationSyntax declaration && declaration.Modifiers.Any(SyntaxKind.PartialKeyword));
}
