using ModelCompiler.Planning;

namespace ModelCompiler.Compiler.Graph;

/// <summary>A linear projection that an adapter may target.</summary>
/// <param name="Flag">Its name as a target.</param>
/// <param name="Path">Path of its property: "Attention.Query".</param>
/// <param name="In">Input width.</param>
/// <param name="Out">Output width.</param>
/// <param name="Format">How its weight is stored.</param>
public sealed record ProjectionSite(Projections Flag, string Path, int In, int Out, WeightFormat Format)
{
    /// <summary>Whether every layer has one.</summary>
    public bool PerLayer => Flag != Projections.Head;
}
