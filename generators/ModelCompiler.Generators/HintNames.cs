using System.Globalization;
using System.Text;
using Microsoft.CodeAnalysis;

namespace ModelCompiler.Generators;

/// <summary>Names of generated files, unique whatever the classes are called.</summary>
internal static class HintNames
{
    /// <summary>What the names of a class's files begin with.</summary>
    public static string Of(INamedTypeSymbol type)
    {
        var name = new StringBuilder();
        for (ISymbol? symbol = type; symbol is INamedTypeSymbol or INamespaceSymbol { IsGlobalNamespace: false }; symbol = symbol.ContainingSymbol)
        {
            name.Insert(0, Part(symbol) + (name.Length > 0 ? "." : ""));
        }

        return name.ToString();
    }

    // Letters that only combine with others are letters of C#, not of file names. Names of files that differ in case alone are one name.
    private static string Part(ISymbol symbol)
    {
        var part = new StringBuilder();
        foreach (char c in symbol.MetadataName)
        {
            part.Append(char.IsLetterOrDigit(c) || c == '_' ? c.ToString() : "-" + ((int)c).ToString("x4", CultureInfo.InvariantCulture));
        }

        bool alone = symbol.ContainingSymbol is not INamespaceOrTypeSymbol around
            || !around.GetMembers().Any(other => other.Name != symbol.Name && string.Equals(other.Name, symbol.Name, StringComparison.OrdinalIgnoreCase));
        return alone ? part.ToString() : part + "-" + string.Concat(symbol.MetadataName.Select(static c => char.IsUpper(c) ? '1' : '0'));
    }
}
