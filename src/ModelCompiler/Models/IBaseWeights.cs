using ModelCompiler.Planning;

namespace ModelCompiler.Models;

/// <summary>The weights of a base where they are stored: as they were before a plan rounded or quantized them and before a start changed them.</summary>
public interface IBaseWeights
{
    /// <summary>Where they are stored: a file or folder, for messages.</summary>
    string Source { get; }

    /// <summary>The values of one weight, row by row; one that is stored quantized is decoded.</summary>
    /// <param name="parameter">The parameter.</param>
    /// <param name="layer">Its layer; -1 where no layer has it.</param>
    /// <exception cref="ModelCompilerException">The weight is missing, of another shape or damaged.</exception>
    float[] Read(ParameterInfo parameter, int layer);

    /// <summary>The values of one weight as they were before any quantization.</summary>
    /// <inheritdoc cref="Read"/>
    /// <exception cref="ModelCompilerException">The weight is stored quantized, missing, of another shape or damaged.</exception>
    float[] ReadOriginal(ParameterInfo parameter, int layer);
}
