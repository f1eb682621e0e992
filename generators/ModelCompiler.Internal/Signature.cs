using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace ModelCompiler.Internal;

/// <summary>Text of a method of the interface: its head, and what marks its parameters have.</summary>
internal static class Signature
{
    /// <summary>The head of the method, with the interface's names and defaults.</summary>
    public static string Head(IMethodSymbol method) =>
        $"    public {NameOf(method.ReturnType)} {method.Name}({string.Join(", ", method.Parameters.Select(Parameter))})";

    /// <summary>Name of a type from the root of all namespaces.</summary>
    public static string NameOf(ITypeSymbol type) =>
        type.ToDisplayString(SymbolDisplayFormat.FullyQualifiedFormat.AddMiscellaneousOptions(SymbolDisplayMiscellaneousOptions.IncludeNullableReferenceTypeModifier));

    /// <summary>A parameter as an argument of another call.</summary>
    public static string Argument(IParameterSymbol parameter) => By(parameter) + "@" + parameter.Name;

    /// <summary>Whether a parameter has a mark, such as [Activation].</summary>
    public static bool Is(IParameterSymbol parameter, string mark) => parameter.GetAttributes().Any(a => a.AttributeClass?.Name == mark + "Attribute");

    private static string Parameter(IParameterSymbol parameter) => $"{By(parameter)}{NameOf(parameter.Type)} @{parameter.Name}{Default(parameter)}";

    private static string By(IParameterSymbol parameter) => parameter.RefKind == RefKind.In ? "in " : "";

    private static string Default(IParameterSymbol parameter) => !parameter.HasExplicitDefaultValue ? ""
        : parameter.ExplicitDefaultValue is null ? " = default"
        : $" = {SymbolDisplay.FormatPrimitive(parameter.ExplicitDefaultValue, quoteStrings: true, useHexadecimalNumbers: false)}";
}
