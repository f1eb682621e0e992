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
    /// <summary>The namespace of each type that is of no adapter method.</summary>
    private static readonly Dictionary<string, string> s_common = new[]
    {
        In("ModelCompiler.Backends", "IBackend"),
        In("ModelCompiler.Models", "Frame", "IModel", "Model", "ModelRegistry", "Norm", "Parameter", "Projection", "TransformerModel"),
        In("ModelCompiler.Operations", "AttentionShape", "FrequencyScaling", "NormShape", "RotaryShape"),
        In(
            "ModelCompiler.Planning",
            "AdapterSlot", "BackendProfile", "BufferTable", "Checkpointing", "ConfigEntry", "Dim", "Flops", "FrameTable", "LayerSet", "MemoryCost", "MemoryPlanner",
            "ModelTables", "ParameterInfo", "ParameterKind", "Plan", "SublayerInfo", "SublayerKind", "Traffic", "TrainingPlan", "VariantFrames", "WeightFormat", "Work"),
        In("ModelCompiler.Tensors", "Tensor"),
    }.SelectMany(static types => types).ToDictionary(static type => type.Name, static type => type.Namespace);

    /// <summary>The namespace of each type.</summary>
    private static readonly Dictionary<string, string> s_all = AdapterExpansion.All.SelectMany(static method => method.RuntimeTypes)
        .Concat(s_common.Select(static type => (Name: type.Key, Namespace: type.Value)))
        .GroupBy(static type => type.Name)
        .ToDictionary(static type => type.Key, static type => type.First().Namespace);

    /// <summary>The types that the code of a description names, each with its namespace.</summary>
    public static IEnumerable<(string Name, string Namespace)> Of(ModelSpec spec) => s_common.Select(static type => (type.Key, type.Value))
        .Concat((spec.Recipe?.Adapters ?? default).Select(static adapter => AdapterExpansion.Find(adapter.Method)).OfType<AdapterExpansion>().Distinct().SelectMany(static method => method.RuntimeTypes));

    /// <summary>Whether any generated code names a type so.</summary>
    public static bool Has(string name) => s_all.ContainsKey(name);

    private static readonly Regex s_marked = new("§([A-Za-z0-9]+)", RegexOptions.CultureInvariant);

    /// <summary>Text with its marked names as the code of a class must spell them.</summary>
    /// <param name="type">The class.</param>
    /// <param name="text">The text.</param>
    /// <param name="imports">Takes the namespaces that the text needs imported.</param>
    public static string Resolve(TypeSpec type, string text, ISet<string> imports) => text.IndexOf('§') < 0 ? text : s_marked.Replace(text, match =>
    {
        string name = match.Groups[1].Value;
        string @namespace = s_all[name];

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
