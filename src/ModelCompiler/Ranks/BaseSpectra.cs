using ModelCompiler.Checkpoints;
using ModelCompiler.Checkpoints.BitsAndBytes;
using ModelCompiler.Planning;

namespace ModelCompiler.Ranks;

/// <summary>The spectra of a base's weights, one after the other: from the cache, or from the checkpoint and then into the cache.</summary>
internal sealed class BaseSpectra : IDisposable
{
    private readonly ModelTables _tables;
    private readonly RankChoiceOptions _options;
    private readonly Checkpoint _checkpoint;
    private readonly SpectrumCache _cache;
    private int _done;

    /// <exception cref="CheckpointException">The base is absent, damaged, or its config.json is another model's.</exception>
    public BaseSpectra(ModelTables tables, string folderOrFile, RankChoiceOptions options)
    {
        (_tables, _options) = (tables, options);
        if (Directory.Exists(folderOrFile))
        {
            ModelConfiguration.Check(Path.Combine(folderOrFile, ModelConfiguration.FileName), tables, options.IgnoredConfiguration);
        }

        _checkpoint = BaseWeights.Open(folderOrFile, tables);
        _cache = new SpectrumCache(options.CacheFolder, options.Note);
    }

    /// <summary>The spectrum of the weight that a slot's adapter in a layer adapts.</summary>
    /// <param name="slot">The slot.</param>
    /// <param name="layer">The layer; -1 for the head.</param>
    /// <param name="count">How many singular values are needed.</param>
    /// <exception cref="CheckpointException">The weight is missing, of another shape or damaged.</exception>
    public Spectrum Of(SlotRow slot, int layer, int count)
    {
        _options.Cancellation.ThrowIfCancellationRequested();
        ParameterRow row = _tables.Parameters.FirstOrDefault(p => p.Name == slot.Module + ".weight") ?? _tables.Parameters.First(p => p.Path == "TokenEmbedding");
        (int rows, int columns) = (row.Rows.Factor, row.Columns.Factor);
        string name = row.PerLayer ? slot.ModuleIn(layer) + ".weight" : row.Name;
        Spectrum spectrum = _cache.Get(Read(name, rows, columns), rows, columns, count);
        _options.Progress?.Invoke(++_done, name);
        return spectrum;
    }

    /// <inheritdoc/>
    public void Dispose() => _checkpoint.Dispose();

    private float[] Read(string name, int rows, int columns)
    {
        StoredNf4? quantized = StoredNf4.Find(_checkpoint, name);
        IReadOnlyList<long> shape = quantized?.Shape ?? _checkpoint.Shape(name);
        if (!shape.SequenceEqual([rows, columns]))
        {
            throw new CheckpointException(_checkpoint.Path, $"tensor '{name}' is {TensorEntry.Format(shape)}, {_tables.Architecture} needs [{rows}, {columns}]");
        }

        return quantized?.Decode() ?? _checkpoint.Read(name);
    }
}
