using ModelCompiler.Adapters;
using ModelCompiler.HuggingFace.BitsAndBytes;
using ModelCompiler.Models;
using ModelCompiler.Planning;
using ModelCompiler.Safetensors;

namespace ModelCompiler.HuggingFace.Weights;

/// <summary>The weights of a base as its checkpoint has them. Files are open only while a weight is read.</summary>
/// <param name="folderOrFile">A folder with config.json and weights, or a safetensors file alone.</param>
/// <param name="tables">The architecture, or a recipe over it.</param>
public sealed class PretrainedWeights(string folderOrFile, ModelTables tables) : IBaseWeights
{
    /// <inheritdoc/>
    public string Source => folderOrFile;

    /// <summary>Ranks that a recipe's methods choose from a base before training, see <see cref="RankChoice"/>.</summary>
    /// <param name="tables">The recipe.</param>
    /// <param name="folderOrFile">A folder with config.json and weights, or a safetensors file alone.</param>
    /// <param name="options">What the recipe does not say.</param>
    /// <param name="ignoredConfiguration">Keys of config.json that are not compared with the description.</param>
    /// <returns>The ranks; null where no method of the model chooses.</returns>
    /// <exception cref="CheckpointException">The base is absent, damaged or of another model.</exception>
    /// <exception cref="ArgumentException">The uniform rank is out of range for a projection.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
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
    public float[] Read(ParameterRow parameter, int layer)
    {
        using Checkpoint checkpoint = BaseWeights.Open(folderOrFile, tables);
        string name = parameter.NameIn(layer);
        StoredNf4? quantized = StoredNf4.Find(checkpoint, name);
        IReadOnlyList<long> shape = quantized?.Shape ?? checkpoint.Shape(name);
        (int rows, int columns) = (parameter.Rows.Factor, parameter.Columns.Factor);
        if (!shape.SequenceEqual(parameter.Vector ? [columns] : [rows, columns]))
        {
            throw new CheckpointException(checkpoint.Path, $"tensor '{name}' is {TensorEntry.Format(shape)}, {tables.Architecture} needs [{rows}, {columns}]");
        }

        return quantized?.Decode() ?? checkpoint.Read(name);
    }

    /// <inheritdoc/>
    /// <exception cref="CheckpointException">The weight is stored quantized, missing, of another shape or damaged.</exception>
    public float[] ReadOriginal(ParameterRow parameter, int layer)
    {
        string name = parameter.NameIn(layer);
        using (Checkpoint checkpoint = BaseWeights.Open(folderOrFile, tables))
        {
            if (StoredNf4.Find(checkpoint, name) is not null)
            {
                throw new CheckpointException(
                    checkpoint.Path, $"tensor '{name}' is quantized already, and the recipe's adapter starts from the weight before that; take the unquantized checkpoint");
            }
        }

        return Read(parameter, layer);
    }
}
