using ModelCompiler.Compiler.Writing;

namespace ModelCompiler.Generators.Parsing;

/// <summary>Names that generated code has for something else, so that a part of a description of that name would hide it.</summary>
internal static class ReservedNames
{
    /// <summary>Members of every model.</summary>
    private static readonly HashSet<string> Members = new(StringComparer.Ordinal)
    {
        "Backend", "Backward", "BackwardHead", "BackwardLayer", "BackwardLayers", "BackwardLoss", "BackwardPrologue", "ChunkRows", "Create", "Decode", "FinalNorm", "Fit",
        "ForGeneration", "ForTraining", "Forward", "ForwardHead", "ForwardLayer", "ForwardLoss", "ForwardPrologue", "Head", "LayerBuffers", "Layers", "Logits", "Loss",
        "LossBuffers", "LossOfChunk", "LossSum", "MemoryCost", "Module", "PositionEmbedding", "PrologueBuffers", "RecomputeBelow", "RecomputeLayer", "RegisterModel",
        "ResidualGradient", "Tables", "TargetCount", "TokenEmbedding", "TokenIds", "Tokens", "s_tables",
    };

    /// <summary>Members of the sublayers' classes.</summary>
    private static readonly HashSet<string> Projections = new(StringComparer.Ordinal) { "Down", "Gate", "Key", "KeyNorm", "LayerScale", "Output", "Query", "QueryNorm", "Up", "Value" };

    private static readonly HashSet<string> Properties = new(StringComparer.OrdinalIgnoreCase) { "Act", "FinalNorm", "Head", "Index", "Layer", "Model", "Ops", "PositionEmbedding", "TokenEmbedding" };

    /// <summary>Whether a class of a description may not have this name.</summary>
    public static bool IsReservedType(string name) =>
        IsGeneratedMember(name) || RuntimeNames.Has(name) || name == "var" || Projections.Contains(name);

    /// <summary>Whether a sublayer may not have this name: it is also the head of its parameters' paths.</summary>
    public static bool IsReservedProperty(string name) =>
        Properties.Contains(name) || Projections.Contains(name);

    /// <summary>Whether a member of a model that the user writes may not have this name.</summary>
    public static bool IsGeneratedMember(string name) => Members.Contains(name) || IsBuffers(name) || ShapeConstants.Prefixes.Any(prefix => name.StartsWith(prefix, StringComparison.Ordinal));

    // "s_layer3Buffers": some carry the number of a layer.
    private static bool IsBuffers(string name) => name.StartsWith("s_", StringComparison.Ordinal) && name.EndsWith("Buffers", StringComparison.Ordinal);
}
