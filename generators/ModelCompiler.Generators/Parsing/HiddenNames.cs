using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using ModelCompiler.Compiler.Description;
using ModelCompiler.Compiler.Writing;

namespace ModelCompiler.Generators.Parsing;

/// <summary>Names of generated code that mean something of the user's in a class.</summary>
internal static class HiddenNames
{
    /// <summary>What no spelling reaches once a type of that name is in the global namespace.</summary>
    private static readonly string[] Roots = ["ModelCompiler", "System", "TorchSharp"];

    /// <summary>
    /// Types of the runtime that need their full names. Generated files import the runtime inside the class's namespace, so only members of
    /// the class and of that namespace come before it.
    /// </summary>
    public static EquatableArray<string> Find(INamedTypeSymbol type, ModelSpec spec, Compilation compilation)
    {
        INamespaceSymbol around = compilation.GetCompilationNamespace(type.ContainingNamespace) ?? type.ContainingNamespace;
        return new EquatableArray<string>(RuntimeNames.Of(spec)
            .Where(runtime => type.GetMembers(runtime.Name).Length > 0 || around.GetMembers(runtime.Name).Any(member => !IsOf(member, runtime.Namespace)))
            .Select(static runtime => runtime.Name)
            .Distinct());
    }

    /// <summary>A name that generated code needs and cannot reach; null: none.</summary>
    public static string? Unreachable(INamedTypeSymbol type, SemanticModel model, TypeDeclarationSyntax declaration)
    {
        if (Roots.FirstOrDefault(root => model.Compilation.Assembly.GlobalNamespace.GetTypeMembers(root).Length > 0) is { } hidden)
        {
            return hidden;
        }

        return type.GetTypeMembers("var").Length > 0 || model.LookupNamespacesAndTypes(declaration.Identifier.SpanStart, name: "var").Length > 0 ? "var" : null;
    }

    private static bool IsOf(ISymbol member, string @namespace) => member is INamedTypeSymbol && member.ContainingNamespace.ToDisplayString() == @namespace
        && member.ContainingAssembly?.GetTypeByMetadataName("ModelCompiler.TransformerAttribute") is not null;
}
