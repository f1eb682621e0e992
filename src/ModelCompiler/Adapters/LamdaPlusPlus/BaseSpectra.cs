using ModelCompiler.Models;
using ModelCompiler.Planning;

namespace ModelCompiler.Adapters;

/// <summary>The spectra of a base's weights, one after the other: from the cache, or from the weights and then into the cache.</summary>
internal sealed class BaseSpectra(ModelTables tables, IBaseWeights weights, RankChoiceOptions options)
{
    private readonly SpectrumCache _cache = new(options.CacheFolder, options.Note);
    private int _done;

    /// <summary>The spectrum of the weight that a slot's adapter in a layer adapts.</summary>
    /// <param name="slot">The slot.</param>
    /// <param name="layer">The layer; -1 for the head.</param>
    /// <param name="count">How many singular values are needed.</param>
    /// <exception cref="ModelCompilerException">The weight is missing, of another shape or damaged.</exception>
    public Spectrum Of(AdapterSlot slot, int layer, int count)
    {
        options.Cancellation.ThrowIfCancellationRequested();
        ParameterInfo row = tables.WeightOf(slot);
        Spectrum spectrum = _cache.Get(weights.Read(row, layer), row.Rows.Factor, row.Columns.Factor, count);
        options.Progress?.Invoke(++_done, row.PathIn(layer));
        return spectrum;
    }
}
