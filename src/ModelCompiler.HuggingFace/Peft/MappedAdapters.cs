using ModelCompiler.Adapters;
using ModelCompiler.HuggingFace.Families;
using ModelCompiler.Models;
using ModelCompiler.Planning;
using ModelCompiler.Safetensors;

namespace ModelCompiler.HuggingFace.Peft;

/// <summary>An adapter on a module of a checkpoint.</summary>
/// <param name="Module">The module's name.</param>
/// <param name="Factors">Its matrices.</param>
/// <param name="Scale">The factor on B A.</param>
/// <param name="Slot">The slot of the first projection in it.</param>
/// <param name="IsJoined">Whether the module holds several projections.</param>
internal sealed record ExportedModule(string Module, LowRankFactors Factors, double Scale, AdapterSlot Slot, bool IsJoined);

/// <summary>
/// Adapters of projections as adapters of a checkpoint's modules, and back. Where a module holds several projections, A is theirs one below the other and B is
/// block-diagonal: the rank is the sum of theirs.
/// </summary>
internal static class MappedAdapters
{
    /// <summary>The modules that the adapters of a model are on.</summary>
    /// <exception cref="ArgumentException">Magnitudes are not on all projections of a module.</exception>
    public static ExportedModule[] Join(TransformerModel model, TensorMap map, Func<AdapterState, LowRankFactors> export) =>
    [
        .. model.Adapters.GroupBy(map.ModuleOf).Select(adapters => map.PartsOf(adapters.First().Slot) is { Length: > 1 } parts
            ? Join(adapters.Key, [.. adapters], [.. adapters.Select(export)], parts, model.Tables)
            : new ExportedModule(adapters.Key, export(adapters.First()), adapters.First().Scale, adapters.First().Slot, false)),
    ];

    /// <summary>The adapters of a model's projections in a file's modules, by path; null where a module's rank does not fit them.</summary>
    /// <param name="file">The file.</param>
    /// <param name="map">The names of its base.</param>
    /// <param name="rankOf">The rank that a projection's adapter is to have; null: any.</param>
    public static Dictionary<string, LowRankFactors> Split(PeftAdapter file, TensorMap map, Func<string, int?> rankOf)
    {
        if (file.Config.FanInFanOut && !map.IsTransposed)
        {
            throw new CheckpointException(PeftAdapter.ConfigName, $"key 'fan_in_fan_out' is true, but {map.Family.ModelType} stores no weight that way; the adapter belongs to another base");
        }

        var adapters = new Dictionary<string, LowRankFactors>();
        foreach (IGrouping<string, (string Module, string Path, TensorMapping Rows)> module in map.Projections().GroupBy(static p => p.Module))
        {
            if (!file.Modules.TryGetValue(module.Key, out LowRankFactors? factors))
            {
                continue;
            }

            int?[] ranks = [.. module.Select(part => rankOf(part.Path))];
            bool isBlockDiagonal = module.Count() > 1 && ranks.Any(rank => rank is not null && rank != factors.Rank) && ranks.Sum(static rank => rank ?? 0) == factors.Rank;
            int first = 0;
            foreach (((_, string path, TensorMapping rows), int? rank) in module.Zip(ranks))
            {
                LowRankFactors part = Rows(factors, rows);
                adapters.Add(path, isBlockDiagonal && rank is { } own ? Directions(part, first, own) : part);
                first += rank ?? 0;
            }
        }

        return adapters;
    }

    /// <summary>The names of the base that a file's modules are of: the model's base, or the first family that has them all.</summary>
    public static TensorMap MapOf(ModelTables tables, IBaseWeights? from, IEnumerable<string> modules)
    {
        if (from is Weights.PretrainedWeights { Map: var map })
        {
            return map;
        }

        TensorMap[] maps = [.. CheckpointFamily.MapsOf(tables)];
        return maps.FirstOrDefault(m => m.Projections().Select(static p => p.Module).ToHashSet().IsSupersetOf(modules)) ?? maps[0];
    }

    private static ExportedModule Join(string module, AdapterState[] adapters, LowRankFactors[] factors, (string Path, TensorMapping Rows)[] parts, ModelTables tables)
    {
        (int rank, int inputs, int outputs) = (factors.Sum(static f => f.Rank), factors[0].Inputs, parts[0].Rows.Total);
        double scale = adapters[0].Scale;
        var b = new float[(long)outputs * rank];
        float[]? magnitude = adapters.Any(static a => a.HasMagnitude) ? new float[outputs] : null;
        if (magnitude is not null && adapters.Length < parts.Length)
        {
            throw new ArgumentException(
                $"'{module}' holds {string.Join(", ", parts.Select(static p => p.Path))}, and only some have magnitudes: adapt all of them, or merge the adapter", nameof(adapters));
        }

        int first = 0;
        foreach ((AdapterState adapter, LowRankFactors own) in adapters.Zip(factors))
        {
            int row = parts.First(p => p.Path == tables.KindPath(adapter.Slot.Path)).Rows.First;
            double factor = adapter.Scale / scale;
            for (int output = 0; output < own.Outputs; output++)
            {
                for (int r = 0; r < own.Rank; r++)
                {
                    b[(long)(row + output) * rank + first + r] = (float)(factor * own.B[output * own.Rank + r]);
                }
            }

            own.Magnitude?.CopyTo(magnitude!, row);
            first += own.Rank;
        }

        float[] a = [.. factors.SelectMany(static f => f.A)];
        return new ExportedModule(module, new LowRankFactors(rank, inputs, outputs, a, b) { Magnitude = magnitude }, scale, adapters[0].Slot, true);
    }

    private static LowRankFactors Rows(LowRankFactors module, TensorMapping rows) => rows.Total == rows.Count || module.Outputs != rows.Total
        ? module
        : new LowRankFactors(module.Rank, module.Inputs, rows.Count, module.A, module.B[(rows.First * module.Rank)..((rows.First + rows.Count) * module.Rank)])
        {
            Magnitude = module.Magnitude?[rows.First..(rows.First + rows.Count)],
        };

    /// <summary>Some directions of an adapter; all where the others add something.</summary>
    private static LowRankFactors Directions(LowRankFactors module, int first, int count)
    {
        var b = new float[module.Outputs * count];
        for (int i = 0; i < module.B.Length; i++)
        {
            (int row, int direction) = Math.DivRem(i, module.Rank);
            if (direction >= first && direction < first + count)
            {
                b[row * count + direction - first] = module.B[i];
            }
            else if (module.B[i] != 0)
            {
                return module;
            }
        }

        return new LowRankFactors(count, module.Inputs, module.Outputs, module.A[(first * module.Inputs)..((first + count) * module.Inputs)], b) { Magnitude = module.Magnitude };
    }
}
