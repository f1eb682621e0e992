using ModelCompiler.Backends;
using ModelCompiler.HuggingFace.BitsAndBytes;
using ModelCompiler.HuggingFace.Checkpoints;
using ModelCompiler.HuggingFace.Config;
using ModelCompiler.HuggingFace.Families;
using ModelCompiler.Models;
using ModelCompiler.Planning;
using ModelCompiler.Reading;
using ModelCompiler.Safetensors;

namespace ModelCompiler.HuggingFace.Weights;

/// <summary>The weights of a base, read by the parameters of a description through the names of the checkpoint's family.</summary>
internal sealed class BaseCheckpoint : IDisposable
{
    private readonly ModelTables _tables;
    private readonly Dictionary<string, StoredNf4?> _quantized = [];

    private BaseCheckpoint(Checkpoint tensors, TensorMap map, ModelTables tables) => (Tensors, Map, _tables) = (tensors, map, tables);

    /// <summary>The tensors.</summary>
    public Checkpoint Tensors { get; }

    /// <summary>Where each parameter is.</summary>
    public TensorMap Map { get; }

    /// <summary>Opens a base: where the head is the embedding, a checkpoint may hold it under either name.</summary>
    /// <exception cref="CheckpointException">There are no weights, a shard is missing or a file is damaged.</exception>
    public static BaseCheckpoint Open(string folderOrFile, ModelTables tables)
    {
        Checkpoint checkpoint = Checkpoint.Open(folderOrFile);
        TensorMap map = Choose(folderOrFile, checkpoint, tables);
        if (map.Family.Prefix is { Length: > 0 } prefix)
        {
            foreach (string name in checkpoint.Names)
            {
                checkpoint.Alias(prefix + name, name);
            }
        }

        if (tables.Parameters.All(static p => p.Path != "Head.Weight"))
        {
            checkpoint.Alias(map.Embedding, map.Head);
        }

        return new BaseCheckpoint(checkpoint, map, tables);
    }

    /// <summary>The NF4 tensor that a parameter is in; null where it is stored in floating point.</summary>
    /// <exception cref="CheckpointException">It is quantized in a way that cannot be loaded, or parts are missing, of a wrong length or another map's.</exception>
    public StoredNf4? Quantized(TensorMapping mapping)
    {
        if (!_quantized.TryGetValue(mapping.Tensor, out StoredNf4? stored))
        {
            _quantized.Add(mapping.Tensor, stored = StoredNf4.Find(Tensors, mapping.Tensor));
        }

        return stored;
    }

    /// <summary>The type of the tensor that a parameter is in; of a quantized one the type that it stands for.</summary>
    public SafetensorsType TypeOf(TensorMapping mapping) => Quantized(mapping)?.StandsFor
        ?? (Tensors.Entry(mapping.Tensor).Type is var type && type is SafetensorsType.F16 or SafetensorsType.BF16 ? type : SafetensorsType.F32);

    /// <summary>Reads rows of a parameter that is not stored quantized.</summary>
    public ReadRows Rows(TensorMapping mapping)
    {
        if (mapping.IsPlain)
        {
            return (first, count, values) => Tensors.ReadRows(mapping.Tensor, first, count, values);
        }

        if (mapping.Columns > 0 && !mapping.Transposed)
        {
            return (first, count, values) =>
            {
                Tensors.ReadRows(mapping.Tensor, mapping.First + first, count, values);
                Add(values, mapping.Offset);
            };
        }

        // A vector is short, and columns of a matrix are all over its rows: the whole tensor is read once.
        float[] whole = Tensors.Read(mapping.Tensor);
        return (first, count, values) =>
        {
            for (int i = 0; i < values.Length; i++)
            {
                values[i] = mapping.Columns == 0
                    ? whole[mapping.First + i]
                    : whole[(i % mapping.Columns) * mapping.Total + mapping.First + (int)first + i / mapping.Columns];
            }

            Add(values, mapping.Offset);
        };
    }

    /// <summary>Everything by which the tensors are not what a description needs.</summary>
    public IEnumerable<string> Problems()
    {
        var expected = new Dictionary<string, TensorMapping>();
        foreach (ParameterInfo row in _tables.Parameters.Where(static p => p.Slot < 0))
        {
            foreach (int layer in _tables.LayersOf(row))
            {
                TensorMapping mapping = Map.Of(row, layer);
                expected[mapping.Tensor] = mapping;
            }
        }

        var problems = new List<string>();
        foreach ((string name, TensorMapping mapping) in expected)
        {
            if (!Tensors.Contains(name))
            {
                problems.Add($"'{name}' is missing");
                continue;
            }

            // bitsandbytes quantizes a weight as its layer has it, not as Conv1D stores it.
            IReadOnlyList<long> shape = Quantized(mapping) is null ? mapping.Shape : (mapping with { Transposed = false }).Shape;
            IReadOnlyList<long> actual = Quantized(mapping)?.Shape ?? Tensors.Shape(name);
            if (!actual.SequenceEqual(shape))
            {
                problems.Add($"'{name}' is {TensorEntry.Format(actual)}, the description needs {TensorEntry.Format(shape)}");
            }
        }

        bool tied = !expected.ContainsKey(Map.Head);
        problems.AddRange(Tensors.Names
            .Where(name => !expected.ContainsKey(Named(name)) && Map.Family.IsWeight(Named(name)) && !(tied && name == Map.Head))
            .Select(name => $"'{name}' is in the file, the description has no such parameter"));
        if (problems.Count == 0 && tied && Tensors.Contains(Map.Head) && !SameValues(Map.Head, Map.Embedding))
        {
            problems.Add($"'{Map.Head}' is not '{Map.Embedding}', the description ties them");
        }

        return problems;
    }

    /// <summary>The name that a tensor of the file has in a whole model of the family.</summary>
    public string Named(string name)
    {
        string prefix = Map.Family.Prefix;
        return prefix.Length == 0 || name.StartsWith(prefix, StringComparison.Ordinal) || name == Map.Head ? name : prefix + name;
    }

    /// <inheritdoc/>
    public void Dispose() => Tensors.Dispose();

    /// <summary>The family that config.json names, or whose tensors are all there, or that the description is saved as.</summary>
    private static TensorMap Choose(string folderOrFile, Checkpoint checkpoint, ModelTables tables)
    {
        string config = Path.Combine(folderOrFile, ModelConfiguration.FileName);
        string? type = File.Exists(config) ? UserFile.ReadObject(config, CheckpointException.In).Text("model_type") : null;
        TensorMap[] maps = [.. CheckpointFamily.MapsOf(tables)];
        return maps.FirstOrDefault(map => map.Family.ModelType == type)
            ?? maps.FirstOrDefault(map => map.Tensors().All(name => name == map.Embedding || checkpoint.Contains(name) || IsWithoutPrefix(map, name, checkpoint)))
            ?? maps[0];
    }

    private static bool IsWithoutPrefix(TensorMap map, string name, Checkpoint checkpoint)
    {
        string prefix = map.Family.Prefix;
        return prefix.Length > 0 && name.StartsWith(prefix, StringComparison.Ordinal) && checkpoint.Contains(name[prefix.Length..]);
    }

    private static void Add(Span<float> values, float offset)
    {
        if (offset != 0)
        {
            foreach (ref float value in values)
            {
                value += offset;
            }
        }
    }

    private bool SameValues(string first, string second)
    {
        if (!Tensors.Shape(first).SequenceEqual(Tensors.Shape(second)))
        {
            return false;
        }

        TensorEntry entry = Tensors.Entry(first);
        var a = new float[entry.Columns];
        var b = new float[entry.Columns];
        for (long row = 0; row < entry.Rows; row++)
        {
            Tensors.ReadRows(first, row, 1, a);
            Tensors.ReadRows(second, row, 1, b);
            if (!a.AsSpan().SequenceEqual(b))
            {
                return false;
            }
        }

        return true;
    }
}
