using ModelCompiler.Adapters;
using ModelCompiler.HuggingFace.BitsAndBytes;
using ModelCompiler.HuggingFace.Families;
using ModelCompiler.Models;
using ModelCompiler.Planning;
using ModelCompiler.Safetensors;

namespace ModelCompiler.HuggingFace.Weights;

/// <summary>The weights of a base as its checkpoint has them. Files are open only while a weight is read.</summary>
/// <param name="folderOrFile">A folder with config.json and weights, or a safetensors file alone.</param>
/// <param name="tables">The architecture, or a recipe over it.</param>
public sealed class PretrainedWeights(string folderOrFile, ModelTables tables) : IBaseWeights
{
    private TensorMap? _map;

    /// <inheritdoc/>
    public string Source => folderOrFile;

    /// <summary>Where the checkpoint has each parameter.</summary>
    internal TensorMap Map
    {
        get
        {
            if (_map is null)
            {
                using BaseCheckpoint checkpoint = BaseCheckpoint.Open(folderOrFile, tables);
                _map = checkpoint.Map;
            }

            return _map;
        }
        init => _map = value;
    }

    /// <summary>Ranks that a recipe's methods choose from a base before training, see <see cref="RankChoice"/>.</summary>
    /// <param name="tables">The recipe.</param>
    /// <param name="folderOrFile">A folder with config.json and weights, or a safetensors file alone.</param>
    /// <param name="options">What the recipe does not say.</param>
    /// <param name="ignoredConfiguration">Keys of config.json that are not compared with the description.</param>
    /// <returns>The ranks; null where no method of the model chooses.</returns>
    /// <exception cref="CheckpointException">The base is absent, damaged or of another model.</exception>
    /// <exception cref="ArgumentException">The uniform rank is out of range for a projection.</exception>
    /// <exception cref="OperationCanceledException">It was canceled.</exception>
    public static RankPattern? ChooseRanks(ModelTables tables, string folderOrFile, RankChoiceOptions? options = null, IReadOnlyCollection<string>? ignoredConfiguration = null)
    {
        if (RankChoice.Count(tables) == 0)
        {
            return null;
        }

        if (Directory.Exists(folderOrFile))
        {
            BaseWeights.RequireFit(folderOrFile, tables, ignoredConfiguration);
        }

        return RankChoice.FromBase(tables, new PretrainedWeights(folderOrFile, tables), options);
    }

    /// <inheritdoc/>
    /// <exception cref="CheckpointException">The weight is missing, of another shape or damaged.</exception>
    public float[] Read(ParameterInfo parameter, int layer)
    {
        using BaseCheckpoint checkpoint = BaseCheckpoint.Open(folderOrFile, tables);
        return Read(checkpoint, checkpoint.Map.Of(parameter, layer));
    }

    /// <inheritdoc/>
    /// <exception cref="CheckpointException">The weight is stored quantized, missing, of another shape or damaged.</exception>
    public float[] ReadOriginal(ParameterInfo parameter, int layer)
    {
        using BaseCheckpoint checkpoint = BaseCheckpoint.Open(folderOrFile, tables);
        TensorMapping mapping = checkpoint.Map.Of(parameter, layer);
        return checkpoint.Quantized(mapping) is null
            ? Read(checkpoint, mapping)
            : throw new CheckpointException(
                checkpoint.Tensors.Path, $"tensor '{mapping.Tensor}' is quantized already, and the recipe's adapter starts from the weight before that; take the unquantized checkpoint");
    }

    private float[] Read(BaseCheckpoint checkpoint, TensorMapping mapping)
    {
        StoredNf4? quantized = checkpoint.Quantized(mapping);
        IReadOnlyList<long> wanted = quantized is null ? mapping.Shape : (mapping with { Transposed = false }).Shape;
        IReadOnlyList<long> shape = quantized?.Shape ?? checkpoint.Tensors.Shape(mapping.Tensor);
        if (!shape.SequenceEqual(wanted))
        {
            throw new CheckpointException(
                checkpoint.Tensors.Path, $"tensor '{mapping.Tensor}' is {TensorEntry.Format(shape)}, {tables.Architecture} needs {TensorEntry.Format(wanted)}");
        }

        if (quantized is not null)
        {
            return quantized.Decode(mapping.First, mapping.Count);
        }

        var values = new float[(long)mapping.Count * Math.Max(1, mapping.Columns)];
        checkpoint.Rows(mapping)(0, mapping.Columns == 0 ? 1 : mapping.Count, values);
        return values;
    }
}
