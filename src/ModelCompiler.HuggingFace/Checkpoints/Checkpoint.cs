using ModelCompiler.Backends;
using ModelCompiler.Reading;
using ModelCompiler.Safetensors;

namespace ModelCompiler.HuggingFace.Checkpoints;

/// <summary>
/// The weights of a model: one safetensors file, or a Hugging Face folder with model.safetensors or with
/// model.safetensors.index.json and its shards.
/// </summary>
public sealed class Checkpoint : IDisposable
{
    /// <summary>Name of the weights in a folder.</summary>
    public const string FileName = "model.safetensors";

    /// <summary>Name of the list of shards in a folder.</summary>
    public const string IndexName = "model.safetensors.index.json";

    private const int NamesInMessage = 8;

    private readonly List<SafetensorsFile> _files = [];
    private readonly SortedDictionary<string, SafetensorsFile> _owner = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _aliases = [];

    private Checkpoint(string path)
    {
        Path = path;
    }

    /// <summary>The file or folder.</summary>
    public string Path { get; }

    /// <summary>Names of all tensors, in ordinal order.</summary>
    public IReadOnlyCollection<string> Names => _owner.Keys;

    /// <summary>Opens a file, an index or a folder.</summary>
    /// <exception cref="CheckpointException">There are no weights, a shard is missing or a file is damaged.</exception>
    public static Checkpoint Open(string path, NonFinite nonFinite = NonFinite.Reject)
    {
        var checkpoint = new Checkpoint(path);
        try
        {
            if (!Directory.Exists(path))
            {
                if (path.EndsWith(".json", StringComparison.OrdinalIgnoreCase))
                {
                    checkpoint.OpenShards(path, nonFinite);
                }
                else
                {
                    checkpoint.OpenWhole(path, nonFinite);
                }
            }
            else if (File.Exists(System.IO.Path.Combine(path, FileName)))
            {
                checkpoint.OpenWhole(System.IO.Path.Combine(path, FileName), nonFinite);
            }
            else if (File.Exists(System.IO.Path.Combine(path, IndexName)))
            {
                checkpoint.OpenShards(System.IO.Path.Combine(path, IndexName), nonFinite);
            }
            else
            {
                throw new CheckpointException(path, $"the folder has neither {FileName} nor {IndexName}");
            }

            return checkpoint;
        }
        catch
        {
            checkpoint.Dispose();
            throw;
        }
    }

    /// <summary>Whether there is a tensor of this name.</summary>
    public bool Contains(string name) => _owner.ContainsKey(Stored(name));

    /// <summary>Type and shape of a tensor.</summary>
    /// <exception cref="CheckpointException">There is none of this name.</exception>
    public TensorEntry Entry(string name) => Owner(name)[Stored(name)];

    /// <summary>Shape of a tensor.</summary>
    /// <exception cref="CheckpointException">There is none of this name.</exception>
    public IReadOnlyList<long> Shape(string name) => Entry(name).Shape;

    /// <inheritdoc cref="SafetensorsFile.Read(string)"/>
    public float[] Read(string name) => Owner(name).Read(Stored(name));

    /// <inheritdoc cref="SafetensorsFile.Read(string, Span{float})"/>
    public void Read(string name, Span<float> destination) => Owner(name).Read(Stored(name), destination);

    /// <inheritdoc cref="SafetensorsFile.ReadRows"/>
    public void ReadRows(string name, long firstRow, int count, Span<float> destination) =>
        Owner(name).ReadRows(Stored(name), firstRow, count, destination);

    /// <inheritdoc cref="SafetensorsFile.ReadBytes"/>
    public void ReadBytes(string name, long firstByte, Span<byte> destination) => Owner(name).ReadBytes(Stored(name), firstByte, destination);

    /// <summary>Lets a tensor be read by another name, where the checkpoint has the one and not the other.</summary>
    internal void Alias(string name, string stored)
    {
        if (!Contains(name) && _owner.ContainsKey(stored))
        {
            _aliases[name] = stored;
        }
    }

    /// <summary>Checks that every expected tensor is there with its shape.</summary>
    /// <param name="expected">Names and shapes that the model needs.</param>
    /// <exception cref="CheckpointException">Some are missing (all named up to a limit), or one has another shape.</exception>
    public void Require(IEnumerable<(string Name, IReadOnlyList<long> Shape)> expected)
    {
        var missing = new List<string>();
        foreach ((string name, IReadOnlyList<long> shape) in expected)
        {
            if (!Contains(name))
            {
                missing.Add(name);
            }
            else if (!Shape(name).SequenceEqual(shape))
            {
                throw new CheckpointException(
                    Owner(name).Path, $"tensor '{name}' has shape {Entry(name).ShapeText}, the model needs {TensorEntry.Format(shape)}");
            }
        }

        if (missing.Count > 0)
        {
            throw new CheckpointException(
                Path, $"{missing.Count} tensors that the model needs are missing: {List(missing)}; is this a checkpoint of another architecture?");
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (SafetensorsFile file in _files)
        {
            file.Dispose();
        }
    }

    private static string List(IReadOnlyCollection<string> names) =>
        string.Join(", ", names.Take(NamesInMessage)) + (names.Count > NamesInMessage ? ", ..." : "");

    private string Stored(string name) => _aliases.GetValueOrDefault(name, name);

    private SafetensorsFile Owner(string name) =>
        _owner.TryGetValue(Stored(name), out SafetensorsFile? file)
            ? file
            : throw new CheckpointException(Path, $"has no tensor '{name}'; is this a checkpoint of another architecture?");

    private void OpenWhole(string path, NonFinite nonFinite)
    {
        SafetensorsFile file = SafetensorsFile.Open(path, nonFinite);
        _files.Add(file);
        foreach (TensorEntry tensor in file.Tensors)
        {
            _owner.Add(tensor.Name, file);
        }

        ReadAliases(file);
    }

    /// <summary>Of tensors that share their memory the safetensors library stores one, and says in the metadata by which names it is known besides.</summary>
    private void ReadAliases(SafetensorsFile file)
    {
        foreach ((string name, string stored) in file.Metadata)
        {
            Alias(name, stored);
        }
    }

    private void OpenShards(string indexPath, NonFinite nonFinite)
    {
        Dictionary<string, string> shardOf = ReadIndex(indexPath);
        string folder = System.IO.Path.GetDirectoryName(indexPath) ?? "";
        string[] shards = [.. shardOf.Values.Distinct().Order(StringComparer.Ordinal)];
        string[] absent = [.. shards.Where(s => !File.Exists(System.IO.Path.Combine(folder, s)))];
        if (absent.Length > 0)
        {
            throw new CheckpointException(indexPath, $"{absent.Length} of {shards.Length} shards are missing: {List(absent)}; copy them into the folder");
        }

        var opened = new Dictionary<string, SafetensorsFile>();
        foreach (string shard in shards)
        {
            SafetensorsFile file = SafetensorsFile.Open(System.IO.Path.Combine(folder, shard), nonFinite);
            _files.Add(file);
            opened.Add(shard, file);
        }

        foreach ((string name, string shard) in shardOf)
        {
            if (!opened[shard].Contains(name))
            {
                throw new CheckpointException(indexPath, $"tensor '{name}' is not in {shard}, where the index places it");
            }

            _owner.Add(name, opened[shard]);
        }

        _files.ForEach(ReadAliases);
    }

    private static Dictionary<string, string> ReadIndex(string path)
    {
        JsonValue index = UserFile.ReadObject(path, CheckpointException.In);
        var shardOf = new Dictionary<string, string>();
        foreach ((string tensor, JsonValue file) in index.Required("weight_map", "an object").RequireObject("an object").Members())
        {
            string shard = file.AsText("the name of a file in the same folder");
            shardOf.Add(tensor, shard.Length > 0 && shard == System.IO.Path.GetFileName(shard) ? shard : throw file.Wrong("the name of a file in the same folder"));
        }

        return shardOf;
    }
}
