using ModelCompiler.Compiler.Lowering;
using ModelCompiler.Compiler.Passes;
using ModelCompiler.Planning;

namespace ModelCompiler.Compiler.Writing;

/// <summary>Text of the typed projections: their types and how they are made from the parameter table.</summary>
internal static class ProjectionsText
{
    /// <summary>The type of a projection's property.</summary>
    public static string Type(ModelTypes types, string path) =>
        types.AdapterOf(path) is { } slot ? $"§Projection<§{slot.Expansion.RuntimeType}>" : "§Projection";

    /// <summary>The expression that makes a projection.</summary>
    /// <param name="types">The model.</param>
    /// <param name="path">Path of the projection.</param>
    /// <param name="model">"model." inside a nested class, "" in the model itself.</param>
    /// <param name="layer">", layer" inside a layer, "" elsewhere.</param>
    public static string Construct(ModelTypes types, string path, string model, string layer)
    {
        int weight = types.Row(path + ".Weight");
        string at = weight >= 0 ? $"{model}At({weight}{layer})" : $"{model}TokenEmbedding";
        string bias = types.Row(path + ".Bias") is >= 0 and var b ? $", {(types.AdapterOf(path) is null ? "" : "bias: ")}{model}At({b}{layer})" : "";
        return types.AdapterOf(path) is { } slot
            ? $"new({at}, {Adapter(types, slot, model, layer)}{bias})"
            : $"new({at}{bias})";
    }

    /// <summary>The expression that makes a norm.</summary>
    public static string Norm(ModelTypes types, string path, string at, string layer)
    {
        string weight = $"{at}({types.Row(path + ".Weight")}{layer})";
        return types.Row(path + ".Bias") is >= 0 and var bias ? $"new({weight}, {at}({bias}{layer}))" : $"new({weight})";
    }

    private static string Adapter(ModelTypes types, AdaptedProjection slot, string model, string layer)
    {
        string index = layer.Length > 0 ? "layer" : "-1";
        string parameters = string.Join(", ", slot.Parameters.Select(p => $"{model}At({types.Row(p.Name)}{layer})"));
        string made = $"{model}Register(new §{slot.Expansion.RuntimeType}(s_tables.Slots[{slot.Slot.Index}], {slot.Slot.Index}, {index}, {parameters}))";
        return slot.Row.Layers is { } layers && layer.Length > 0 ? $"{LayersText.Condition("layer", layers, types.Spec.Block.Repeat)} ? {made} : null" : made;
    }
}
