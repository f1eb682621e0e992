using System.Collections;
using System.Reflection;
using Microsoft.CodeAnalysis;

namespace ModelCompiler.Generators.Tests.Testing;

/// <summary>Walks everything reachable from a value and demands that nothing of it keeps a compilation alive.</summary>
internal static class ObjectGraph
{
    public static void AssertHoldsNoCompilation(object root) => Visit(root, root.GetType().Name, new HashSet<object>(ReferenceEqualityComparer.Instance));

    private static void Visit(object? node, string path, HashSet<object> seen)
    {
        if (node is null || node is string || node.GetType() is { IsPrimitive: true } or { IsEnum: true } || !seen.Add(node))
        {
            return;
        }

        Assert.False(node is ISymbol or SyntaxNode or SyntaxTree or Compilation or Location or SemanticModel or SyntaxReference or AttributeData, $"{path} is a {node.GetType()}");
        if (node is IEnumerable items)
        {
            int i = 0;
            foreach (object? item in items)
            {
                Visit(item, $"{path}[{i++}]", seen);
            }
        }

        for (Type? type = node.GetType(); type is not null; type = type.BaseType)
        {
            foreach (FieldInfo field in type.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly))
            {
                Visit(field.GetValue(node), $"{path}.{field.Name}", seen);
            }
        }
    }
}
