using System.Text.RegularExpressions;
using ModelCompiler.Compiler.Adapters;
using ModelCompiler.Compiler.Description;

namespace ModelCompiler.Compiler.Writing;

/// <summary>
/// The runtime's types that generated code names. Writers mark such a name with a section sign, "§Tensor": it becomes the simple name, or the
/// full one where something of the user's hides the simple one.
/// </summary>
public static class RuntimeNames
{
    /// <summary>The namespaces that generated code uses.</summary>
    public static readonly string[] Namespaces =
    [
        "ModelCompiler.Adapters", "ModelCompiler.Backends", "ModelCompiler.Models", "ModelCompiler.Operations", "ModelCompiler.Planning",
        "ModelCompiler.Tensors", "ModelCompiler",
    ];

    /// <summary>The namespace of each type.</summary>
    public static readonly IReadOnlyDictionary<string, string> NamespaceOf = AdapterExpansion.All
        .SelectMany(static method => method.RuntimeTypes)
        .Concat(In(Namespaces[1], "IBackend"))
        .Concat(In(Namespaces[2], "Frame", "IModel", "Model", "ModelRegistry", "Norm", "Parameter", "Projection", "TransformerModel"))
        .Concat(In(Namespaces[3], "AttentionShape", "FrequencyScaling", "NormShape", "RotaryShape"))
        .Concat(In(
            Namespaces[4],
            "AdapterSlot", "BackendProfile", "BufferTable", "Checkpointing", "ConfigEntry", "Dim", "Flops",
            "FrameTable", "LayerSet", "MemoryCost", "MemoryPlanner", "ModelTables", "ParameterInfo", "ParameterKind", "Plan", "SublayerInfo", "SublayerKind", "Traffic", "TrainingPlan",
            "VariantFrames", "WeightFormat", "Work"))
        .Concat(In(Namespaces[5], "Tensor"))
        .GroupBy(static type => type.Name)
        .ToDictionary(static type => type.Key, static type => type.First().Namespace);

    private static readonly Regex s_marked = new("§([A-Za-z0-9]+)", RegexOptions.CultureInvariant);

    /// <summary>Text with its marked names as the code of a class must spell them.</summary>
    /// <param name="type">The class.</param>
    /// <param name="text">The text.</param>
    /// <param name="imports">Takes the namespaces that the text needs imported.</param>
    public static string Resolve(TypeSpec type, string text, ISet<string> imports) => text.IndexOf('§') < 0 ? text : s_marked.Replace(text, match =>
    {
        string name = match.Groups[1].Value;
        string @namespace = NamespaceOf[name];

        // Imports of the whole project are as near as this file's own where no namespace is between them.
        if (type.Namespace.Length == 0 || type.Hidden.Contains(name))
        {
            return $"global::{@namespace}.{name}";
        }

        imports.Add(@namespace);
        return name;
    });

    private static IEnumerable<(string Name, string Namespace)> In(string @namespace, params string[] names) => names.Select(name => (name, @namespace));
}
