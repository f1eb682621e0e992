using System.Globalization;

namespace ModelCompiler.HuggingFace.Families;

/// <summary>Where a checkpoint has a parameter: rows of a tensor, which may be stored transposed, less a constant.</summary>
/// <param name="Tensor">The tensor's name; "{0}" stands for the layer.</param>
/// <param name="First">The first of its outputs that are the parameter's. Outputs are rows of a matrix and elements of a vector.</param>
/// <param name="Count">How many outputs the parameter has.</param>
/// <param name="Total">How many the tensor has.</param>
/// <param name="Columns">Inputs of a matrix; 0: it is a vector.</param>
/// <param name="Transposed">Whether the tensor is [inputs, outputs].</param>
/// <param name="Offset">What is added to the stored values when they are read.</param>
public sealed record TensorMapping(string Tensor, int First, int Count, int Total, int Columns, bool Transposed, float Offset)
{
    /// <summary>Whether the tensor is the parameter and nothing else, as it is.</summary>
    public bool IsPlain => Count == Total && !Transposed && Offset == 0;

    /// <summary>Whether other parameters have the tensor's other rows.</summary>
    public bool IsPart => Count < Total;

    /// <summary>The tensor's shape.</summary>
    public IReadOnlyList<long> Shape => Columns == 0 ? [Total] : Transposed ? [Columns, Total] : [Total, Columns];

    /// <summary>The mapping in a layer; -1: outside the layers.</summary>
    public TensorMapping In(int layer) => layer < 0 ? this : this with { Tensor = Name(Tensor, layer) };

    /// <summary>A name in a layer.</summary>
    internal static string Name(string template, int layer) => template.Replace("{0}", layer.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal);
}
