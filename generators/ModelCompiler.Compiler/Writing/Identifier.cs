using ModelCompiler.Compiler.Description;

namespace ModelCompiler.Compiler.Writing;

/// <summary>The user's names in generated code.</summary>
public static class Identifier
{
    private static readonly HashSet<string> s_keywords =
    [
        "abstract", "as", "base", "bool", "break", "byte", "case", "catch", "char", "checked", "class", "const", "continue", "decimal", "default", "delegate", "do",
        "double", "else", "enum", "event", "explicit", "extern", "false", "finally", "fixed", "float", "for", "foreach", "goto", "if", "implicit", "in", "int",
        "interface", "internal", "is", "lock", "long", "namespace", "new", "null", "object", "operator", "out", "override", "params", "private", "protected", "public",
        "readonly", "ref", "return", "sbyte", "sealed", "short", "sizeof", "stackalloc", "static", "string", "struct", "switch", "this", "throw", "true", "try",
        "typeof", "uint", "ulong", "unchecked", "unsafe", "ushort", "using", "virtual", "void", "volatile", "while",
    ];

    /// <summary>A type's or member's name. Keywords, those of contexts and of later versions too, consist of small letters alone.</summary>
    public static string Escape(string name) => name.All(static c => c is (>= 'a' and <= 'z') or '_') ? "@" + name : name;

    /// <summary>A namespace's name.</summary>
    public static string EscapeNamespace(string name) => string.Join(".", name.Split('.').Select(Escape));

    /// <summary>A class's name from the root of all namespaces on.</summary>
    public static string FullName(TypeSpec type) => $"global::{(type.Namespace.Length == 0 ? "" : EscapeNamespace(type.Namespace) + ".")}{Escape(type.Name)}";

    /// <summary>A local variable's name.</summary>
    public static string EscapeLocal(string name) => s_keywords.Contains(name) ? "@" + name : name;
}
