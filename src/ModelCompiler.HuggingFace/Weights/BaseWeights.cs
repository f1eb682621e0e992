using ModelCompiler.Backends;
using ModelCompiler.Files;
using ModelCompiler.HuggingFace.BitsAndBytes;
using ModelCompiler.HuggingFace.Config;
using ModelCompiler.Models;
using ModelCompiler.Planning;
using ModelCompiler.Safetensors;
using ModelCompiler.Tensors;

namespace ModelCompiler.HuggingFace.Weights;

/// <summary>
/// The weights of a model in Hugging Face's form: every parameter but the adapters' by its name, matrices as [out, in], vectors with one
/// dimension. Rows are streamed, so that no second copy of the weights exists; what the plan holds quantised is quantised on the way, and
/// weights that bitsandbytes quantised to NF4 are taken as they are.
/// </summary>
public static class BaseWeights
{
    private const int ProblemsInMessage = 8;
    private const string Head = "lm_head.weight";
    private const string Embedding = "model.embed_tokens.weight";

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
    /// tensors that the description lacks, or weights quantised in another way than the recipe has them.
    /// </exception>
    public static void Load(TransformerModel model, string folderOrFile, IReadOnlyCollection<string>? ignoredConfiguration = null)
    {
        if (Directory.Exists(folderOrFile))
        {
            RequireFit(folderOrFile, model.Tables, ignoredConfiguration);
        }

        using Checkpoint checkpoint = Open(folderOrFile, model.Tables);
        Parameter[] wanted = Base(model);
        Dictionary<string, StoredNf4> quantized = wanted
            .Select(p => StoredNf4.Find(checkpoint, p.Name)).OfType<StoredNf4>().ToDictionary(stored => stored.Name);
        CheckNamesAndShapes(checkpoint, model, wanted, quantized);
        CheckFormats(checkpoint, model, wanted, quantized);
        foreach (Parameter parameter in wanted)
        {
            Garbage.Limit();
            if (quantized.TryGetValue(parameter.Name, out StoredNf4? stored))
            {
                stored.Load(model.Kernels, parameter.Value);
            }
            else
            {
                RowBlocks.Load(model.Kernels, parameter.Value, (first, count, values) => checkpoint.ReadRows(parameter.Name, first, count, values));
            }
        }

        model.Base = new PretrainedWeights(folderOrFile, model.Tables);
    }

    /// <summary>Opens a base: where the head is the embedding, a checkpoint may hold it under either name.</summary>
    /// <exception cref="CheckpointException">There are no weights, a shard is missing or a file is damaged.</exception>
    internal static Checkpoint Open(string folderOrFile, ModelTables tables)
    {
        Checkpoint checkpoint = Checkpoint.Open(folderOrFile);
        if (tables.Parameters.All(p => p.Name != Head))
        {
            checkpoint.Alias(Embedding, Head);
        }

        return checkpoint;
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
    /// quantising again.
    /// </summary>
    /// <param name="model">A model whose quantised weights are all NF4.</param>
    /// <param name="folder">The folder; made if absent.</param>
    /// <param name="type">F32, F16 or BF16: type of the weights that are not quantised.</param>
    /// <exception cref="ArgumentException">No weight is quantised, or one in a way that bitsandbytes has no form for.</exception>
    /// <exception cref="CheckpointException">The folder holds the shards of another checkpoint, or a weight is too large for its type.</exception>
    /// <exception cref="OutputException">A file cannot be written.</exception>
    public static void SaveQuantized(TransformerModel model, string folder, SafetensorsType type = SafetensorsType.BF16)
    {
        TensorSource[] sources = [.. QuantizedSources(model, _ => type)];
        BaseFolder.RequireNoShards(folder);
        AtomicFile.CreateFolder(folder);
        SafetensorsWriter.Write(Path.Combine(folder, Checkpoint.FileName), sources);
        ConfigurationFile.Write(Path.Combine(folder, ModelConfiguration.FileName), model.Tables, TypeName(type), Nf4Sources.Configuration(Base(model), type));
    }

    /// <summary>The same with other values for some parameters.</summary>
    internal static void Save(TransformerModel model, string folder, SafetensorsType type, Func<Parameter, FillRows?> replacement)
    {
        BaseFolder.RequireNoShards(folder);
        AtomicFile.CreateFolder(folder);
        SafetensorsWriter.Write(Path.Combine(folder, Checkpoint.FileName), Sources(model, _ => type, replacement));
        ConfigurationFile.Write(Path.Combine(folder, ModelConfiguration.FileName), model.Tables, TypeName(type));
    }

    /// <summary>Every parameter of the base model as something to write.</summary>
    /// <param name="model">The model.</param>
    /// <param name="typeOf">The type of each.</param>
    /// <param name="replacement">Gives other values for some; null for the model's.</param>
    internal static IEnumerable<TensorSource> Sources(TransformerModel model, Func<Parameter, SafetensorsType> typeOf, Func<Parameter, FillRows?> replacement) => Base(model).Select(p =>
        TensorSource.FromTensor(model.Kernels, p.Name, p.Value, p.Row.Vector, typeOf(p)) is var source && replacement(p) is { } fill ? source with { Fill = fill } : source);

    /// <summary>The same with NF4 weights in bitsandbytes' form; the type of those is the one that they stand for.</summary>
    /// <exception cref="ArgumentException">No weight is quantised, or one in a way that bitsandbytes has no form for.</exception>
    internal static IEnumerable<TensorSource> QuantizedSources(TransformerModel model, Func<Parameter, SafetensorsType> typeOf)
    {
        Parameter[] parameters = Base(model);
        if (parameters.FirstOrDefault(p => p.Value.Type.IsQuantized() && p.Value.Type.Kind() != DType.NF4) is { } other)
        {
            throw new ArgumentException($"'{other.Name}' is {WeightFormat.Of(other.Value.Type)}: bitsandbytes has a form for NF4 only", nameof(model));
        }

        if (!parameters.Any(p => p.Value.Type.IsQuantized()))
        {
            throw new ArgumentException($"{model.Tables.Name} quantises no weights: give it [Frozen(Storage.NF4)]", nameof(model));
        }

        return parameters.SelectMany(p => p.Value.Type.IsQuantized()
            ? Nf4Sources.Of(model.Kernels, p.Name, p.Value, typeOf(p))
            : [TensorSource.FromTensor(model.Kernels, p.Name, p.Value, p.Row.Vector, typeOf(p))]);
    }

    /// <summary>Transformers' name of a type.</summary>
    internal static string TypeName(SafetensorsType type) => type switch
    {
        SafetensorsType.BF16 => "bfloat16",
        SafetensorsType.F16 => "float16",
        _ => "float32",
    };

    /// <summary>The parameters that are not an adapter's.</summary>
    internal static Parameter[] Base(TransformerModel model) => [.. model.Parameters.Where(p => p.Row.Slot < 0)];

    /// <summary>Weights that are quantised already must be so as the plan has them: quantising a second time would lose more than either.</summary>
    private static void CheckFormats(Checkpoint checkpoint, TransformerModel model, Parameter[] wanted, Dictionary<string, StoredNf4> quantized)
    {
        foreach (Parameter parameter in wanted.Where(p => p.Value.Type.IsQuantized()))
        {
            if (quantized.TryGetValue(parameter.Name, out StoredNf4? stored) && stored.Type != parameter.Value.Type)
            {
                throw new CheckpointException(
                    checkpoint.Path, $"tensor '{parameter.Name}' is quantised as {stored.Format}, but {model.Tables.Name} has it as {WeightFormat.Of(parameter.Value.Type)}; make its [Frozen] say the same or take the unquantised checkpoint");
            }
        }
    }

    private static void CheckNamesAndShapes(Checkpoint checkpoint, TransformerModel model, Parameter[] wanted, Dictionary<string, StoredNf4> quantized)
    {
        var problems = new List<string>();
        foreach (Parameter parameter in wanted)
        {
            long[] shape = parameter.Row.Vector ? [parameter.Value.Columns] : [parameter.Value.Rows, parameter.Value.Columns];
            if (!checkpoint.Contains(parameter.Name))
            {
                problems.Add($"'{parameter.Name}' is missing");
            }
            else
            {
                IReadOnlyList<long> actual = quantized.TryGetValue(parameter.Name, out StoredNf4? stored) ? stored.Shape : checkpoint.Shape(parameter.Name);
                if (!actual.SequenceEqual(shape))
                {
                    problems.Add($"'{parameter.Name}' is {TensorEntry.Format(actual)}, the description needs {TensorEntry.Format(shape)}");
                }
            }
        }

        HashSet<string> names = [.. wanted.Select(p => p.Name)];
        bool tied = !names.Contains(Head);
        problems.AddRange(checkpoint.Names
            .Where(name => !names.Contains(name) && IsWeight(name) && !(tied && name == Head))
            .Select(name => $"'{name}' is in the file, the description has no such parameter"));
        if (problems.Count == 0 && tied && checkpoint.Contains(Head) && !SameValues(checkpoint, Head, Embedding))
        {
            problems.Add($"'{Head}' is not '{Embedding}', the description ties them");
        }

        if (problems.Count > 0)
        {
            string rest = problems.Count > ProblemsInMessage ? $"; and {problems.Count - ProblemsInMessage} more" : "";
            throw new CheckpointException(
                checkpoint.Path, $"does not fit {model.Tables.Architecture}: {string.Join("; ", problems.Take(ProblemsInMessage))}{rest}. Correct the description or take another checkpoint");
        }
    }

    /// <summary>Whether a tensor takes part in the forward pass; buffers (inverse frequencies, masks) and other heads do not.</summary>
    internal static bool IsWeight(string name) =>
        (name.StartsWith("model.", StringComparison.Ordinal) || name.StartsWith("lm_head.", StringComparison.Ordinal))
        && (name.EndsWith(".weight", StringComparison.Ordinal) || name.EndsWith(".bias", StringComparison.Ordinal) || name.EndsWith(".layer_scale", StringComparison.Ordinal));

    private static bool SameValues(Checkpoint checkpoint, string first, string second)
    {
        if (!checkpoint.Shape(first).SequenceEqual(checkpoint.Shape(second)))
        {
            return false;
        }

        TensorEntry entry = checkpoint.Entry(first);
        var a = new float[entry.Columns];
        var b = new float[entry.Columns];
        for (long row = 0; row < entry.Rows; row++)
        {
            checkpoint.ReadRows(first, row, 1, a);
            checkpoint.ReadRows(second, row, 1, b);
            if (!a.AsSpan().SequenceEqual(b))
            {
                return false;
            }
        }

        return true;
    }
}
