using ModelCompiler.Backends;
using ModelCompiler.Files;
using ModelCompiler.HuggingFace.BitsAndBytes;
using ModelCompiler.HuggingFace.Checkpoints;
using ModelCompiler.HuggingFace.Config;
using ModelCompiler.HuggingFace.Families;
using ModelCompiler.Models;
using ModelCompiler.Planning;
using ModelCompiler.Safetensors;
using ModelCompiler.Tensors;

namespace ModelCompiler.HuggingFace.Weights;

/// <summary>
/// The weights of a model in Hugging Face's form: every parameter but the adapters' by its name, matrices as [out, in], vectors with one
/// dimension. Rows are streamed, so that no second copy of the weights exists; what the plan holds quantized is quantized on the way, and
/// weights that bitsandbytes quantized to NF4 are taken as they are.
/// </summary>
public static class BaseWeights
{
    private const int ProblemsInMessage = 8;

    /// <summary>Whether a folder's config.json describes this architecture.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="tables">The architecture, or a recipe over it.</param>
    /// <param name="ignoredConfiguration">Keys of config.json that are not compared.</param>
    /// <exception cref="CheckpointException">There is no readable config.json.</exception>
    public static bool Fits(string folder, ModelTables tables, IReadOnlyCollection<string>? ignoredConfiguration = null) =>
        ModelConfiguration.Difference(Path.Combine(folder, ModelConfiguration.FileName), tables, ignoredConfiguration) is null;

    /// <summary>Requires that a folder's config.json describes this architecture.</summary>
    /// <inheritdoc cref="Fits"/>
    /// <exception cref="CheckpointException">It says something else, or there is none that can be read; keys are named with their values.</exception>
    public static void RequireFit(string folder, ModelTables tables, IReadOnlyCollection<string>? ignoredConfiguration = null) =>
        ModelConfiguration.Check(Path.Combine(folder, ModelConfiguration.FileName), tables, ignoredConfiguration);

    /// <summary>Loads every parameter of the base model.</summary>
    /// <param name="model">The model; its adapters are left as they are.</param>
    /// <param name="folderOrFile">A folder with config.json and weights, or a safetensors file alone.</param>
    /// <param name="ignoredConfiguration">Keys of config.json that are not compared with the description.</param>
    /// <exception cref="CheckpointException">
    /// config.json says something that the description does not, tensors are missing, of another shape or not finite, or the file has
    /// tensors that the description lacks, or weights quantized in another way than the recipe has them.
    /// </exception>
    public static void Load(TransformerModel model, string folderOrFile, IReadOnlyCollection<string>? ignoredConfiguration = null)
    {
        if (Directory.Exists(folderOrFile))
        {
            RequireFit(folderOrFile, model.Tables, ignoredConfiguration);
        }

        using BaseCheckpoint checkpoint = BaseCheckpoint.Open(folderOrFile, model.Tables);
        Parameter[] wanted = Base(model);
        CheckNamesAndShapes(checkpoint, model);
        CheckFormats(checkpoint, model, wanted);
        foreach (Parameter parameter in wanted)
        {
            Garbage.Limit();
            TensorMapping mapping = checkpoint.Map.Of(parameter);
            if (checkpoint.Quantized(mapping) is { } stored)
            {
                stored.Load(model.Backend, parameter.Value, mapping.First);
            }
            else
            {
                RowBlocks.Load(model.Backend, parameter.Value, checkpoint.Rows(mapping));
            }
        }

        model.Base = new PretrainedWeights(folderOrFile, model.Tables) { Map = checkpoint.Map };
    }

    /// <summary>Writes every parameter of the base model as model.safetensors with its config.json. Adapters are not among them.</summary>
    /// <param name="model">The model.</param>
    /// <param name="folder">The folder; made if absent.</param>
    /// <param name="type">F32, F16 or BF16.</param>
    /// <exception cref="CheckpointException">The folder holds the shards of another checkpoint, or a weight is too large for its type.</exception>
    /// <exception cref="OutputException">A file cannot be written.</exception>
    public static void Save(TransformerModel model, string folder, SafetensorsType type = SafetensorsType.F32) => Save(model, folder, type, _ => null);

    /// <summary>
    /// Writes every parameter of the base model with its NF4 weights in bitsandbytes' form, which Transformers and <see cref="Load"/> read without
    /// quantizing again.
    /// </summary>
    /// <param name="model">A model whose quantized weights are all NF4.</param>
    /// <param name="folder">The folder; made if absent.</param>
    /// <param name="type">F32, F16 or BF16: type of the weights that are not quantized.</param>
    /// <exception cref="ArgumentException">No weight is quantized, or one in a way that bitsandbytes has no form for.</exception>
    /// <exception cref="CheckpointException">The folder holds the shards of another checkpoint, or a weight is too large for its type.</exception>
    /// <exception cref="OutputException">A file cannot be written.</exception>
    public static void SaveQuantized(TransformerModel model, string folder, SafetensorsType type = SafetensorsType.BF16)
    {
        TensorMap map = MapOf(model);
        TensorSource[] sources = [.. MappedSources.Quantized(model, map, _ => type)];
        Write(folder, sources, model.Tables, map, type, Nf4Sources.Configuration(Base(model), map, type));
    }

    /// <summary>The same with other values for some parameters.</summary>
    internal static void Save(TransformerModel model, string folder, SafetensorsType type, Func<Parameter, FillRows?> replacement)
    {
        TensorMap map = MapOf(model);
        Write(folder, MappedSources.Of(model, map, _ => type, replacement), model.Tables, map, type, null);
    }

    /// <summary>The names of the checkpoint that a model was loaded from, or of the family that its description is saved as.</summary>
    internal static TensorMap MapOf(TransformerModel model) => model.Base is PretrainedWeights { Map: var map } ? map : CheckpointFamily.MapOf(model.Tables);

    private static void Write(string folder, IEnumerable<TensorSource> sources, ModelTables tables, TensorMap map, SafetensorsType type, string? quantization)
    {
        BaseFolder.RequireNoShards(folder);
        AtomicFile.CreateFolder(folder);
        SafetensorsWriter.Write(Path.Combine(folder, Checkpoint.FileName), sources);
        ConfigurationFile.Write(Path.Combine(folder, ModelConfiguration.FileName), tables, map.Family, ConfigurationFile.TypeName(type), quantization);
    }

    /// <summary>The parameters that are not an adapter's.</summary>
    internal static Parameter[] Base(TransformerModel model) => [.. model.Parameters.Where(p => p.Info.Slot < 0)];

    /// <summary>Weights that are quantized already must be so as the plan has them: quantizing a second time would lose more than either.</summary>
    private static void CheckFormats(BaseCheckpoint checkpoint, TransformerModel model, Parameter[] wanted)
    {
        foreach (Parameter parameter in wanted.Where(p => p.Value.Type.IsQuantized()))
        {
            TensorMapping mapping = checkpoint.Map.Of(parameter);
            if (checkpoint.Quantized(mapping) is not { } stored)
            {
                continue;
            }

            if (stored.Type != parameter.Value.Type)
            {
                throw new CheckpointException(
                    checkpoint.Tensors.Path, $"tensor '{mapping.Tensor}' is quantized as {stored.Format}, but {model.Tables.Name} has it as {WeightFormat.Of(parameter.Value.Type)}; make its [Frozen] say the same or take the unquantized checkpoint");
            }

            if (mapping.IsPart && !stored.CanSplit(mapping.First))
            {
                throw new CheckpointException(
                    checkpoint.Tensors.Path, $"tensor '{mapping.Tensor}' is quantized as {stored.Format} as a whole, and '{parameter.Path}' is a part of it whose blocks have no factors of their own; take the unquantized checkpoint");
            }
        }
    }

    private static void CheckNamesAndShapes(BaseCheckpoint checkpoint, TransformerModel model)
    {
        string[] problems = [.. checkpoint.Problems()];
        if (problems.Length > 0)
        {
            string rest = problems.Length > ProblemsInMessage ? $"; and {problems.Length - ProblemsInMessage} more" : "";
            throw new CheckpointException(
                checkpoint.Tensors.Path, $"does not fit {model.Tables.Architecture}: {string.Join("; ", problems.Take(ProblemsInMessage))}{rest}. Correct the description or take another checkpoint");
        }
    }
}
