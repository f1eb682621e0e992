using ModelCompiler.Adapters;
using ModelCompiler.Models;

namespace ModelCompiler.Checkpoints;

/// <summary>The LoRA adapters of a model in PEFT's format: adapter_config.json and adapter_model.safetensors.</summary>
public static class AdapterFiles
{
    private const double Tolerance = 1e-6;

    /// <summary>Writes every adapter. Where all layers carry one, targets are named by suffix; else by full path.</summary>
    /// <param name="model">The model.</param>
    /// <param name="folder">The folder; made if absent.</param>
    /// <param name="baseModel">What adapter_config.json names as the base.</param>
    /// <exception cref="Files.OutputException">A file cannot be written.</exception>
    /// <exception cref="ArgumentException">The model has no adapters.</exception>
    public static void Save(TransformerModel model, string folder, string? baseModel = null)
    {
        LoraAdapter[] adapters = Adapters(model);
        new PeftAdapter(Configuration(model, adapters, baseModel), adapters.ToDictionary(a => a.Module, a => Read(model, a))).Save(folder);
    }

    /// <summary>Loads every adapter.</summary>
    /// <param name="model">The model.</param>
    /// <param name="folder">The folder.</param>
    /// <exception cref="CheckpointException">
    /// A file is absent or damaged, or modules, ranks, sizes or scales are not those of the recipe; all differences are named up to a limit.
    /// </exception>
    /// <exception cref="ArgumentException">The model has no adapters.</exception>
    public static void Load(TransformerModel model, string folder)
    {
        LoraAdapter[] adapters = Adapters(model);
        PeftAdapter file = PeftAdapter.Load(folder);
        HashSet<string> modules = [.. adapters.Select(a => a.Module)];
        string[] problems =
        [
            .. adapters.Select(a => Problem(a, file)).OfType<string>(),
            .. file.Modules.Keys.Where(m => !modules.Contains(m)).Select(m => $"'{m}' is adapted in the file, not in the recipe"),
        ];
        if (problems.Length > 0)
        {
            string rest = problems.Length > 4 ? $"; and {problems.Length - 4} more" : "";
            throw new CheckpointException(folder, $"does not fit {model.Tables.Name}: {string.Join("; ", problems.Take(4))}{rest}");
        }

        foreach (LoraAdapter adapter in adapters)
        {
            PeftModule module = file.Modules[adapter.Module];
            model.Kernels.Write(adapter.A, module.A);
            model.Kernels.Write(adapter.B, module.B);
        }
    }

    private static LoraAdapter[] Adapters(TransformerModel model) =>
        model.Adapters.OfType<LoraAdapter>().ToArray() is { Length: > 0 } adapters
            ? adapters
            : throw new ArgumentException($"{model.Tables.Name} has no LoRA adapters; save its weights instead", nameof(model));

    private static PeftConfig Configuration(TransformerModel model, LoraAdapter[] adapters, string? baseModel)
    {
        bool stabilized = adapters.All(a => a.Slot.RankStabilized);
        double AlphaOf(LoraAdapter a) => a.Slot.RankStabilized && !stabilized ? a.Scale * a.Rank : a.Slot.Alpha;
        int rank = adapters.GroupBy(a => a.Rank).MaxBy(g => g.Count())!.Key;
        double alpha = adapters.GroupBy(AlphaOf).MaxBy(g => g.Count())!.Key;
        bool everywhere = adapters.All(a => a.Slot.FirstLayer == 0);
        return new PeftConfig
        {
            R = rank,
            Alpha = alpha,
            Dropout = Math.Round(adapters.Max(a => a.Slot.Dropout), 6),
            UseRslora = stabilized,
            TargetModules = everywhere ? [.. adapters.Select(a => a.Module[(a.Module.LastIndexOf('.') + 1)..]).Distinct()] : [.. adapters.Select(a => a.Module)],
            RankPattern = [.. adapters.Where(a => a.Rank != rank).Select(a => KeyValuePair.Create(a.Module, a.Rank))],
            AlphaPattern = [.. adapters.Where(a => AlphaOf(a) != alpha).Select(a => KeyValuePair.Create(a.Module, AlphaOf(a)))],
            BaseModel = baseModel,
        };
    }

    private static PeftModule Read(TransformerModel model, LoraAdapter adapter)
    {
        var a = new float[adapter.A.Value.Count];
        var b = new float[adapter.B.Value.Count];
        model.Kernels.Read(adapter.A, a);
        model.Kernels.Read(adapter.B, b);
        return new PeftModule(adapter.Rank, adapter.A.Value.Columns, adapter.B.Value.Rows, a, b);
    }

    private static string? Problem(LoraAdapter adapter, PeftAdapter file)
    {
        if (!file.Modules.TryGetValue(adapter.Module, out PeftModule? module))
        {
            return $"'{adapter.Module}' has no adapter in the file";
        }

        if (module.Rank != adapter.Rank)
        {
            return $"'{adapter.Module}' has rank {module.Rank} in the file, {adapter.Rank} in the plan";
        }

        if (module.Inputs != adapter.A.Value.Columns || module.Outputs != adapter.B.Value.Rows)
        {
            return $"'{adapter.Module}' maps {module.Inputs} to {module.Outputs} in the file, {adapter.A.Value.Columns} to {adapter.B.Value.Rows} in the recipe";
        }

        double scale = file.Config.ScaleOf(adapter.Module);
        return Math.Abs(scale - adapter.Scale) > Tolerance * Math.Abs(scale)
            ? $"'{adapter.Module}' has scale {scale} in the file (alpha {file.Config.AlphaOf(adapter.Module)}), {adapter.Scale} in the recipe (alpha {adapter.Slot.Alpha})"
            : null;
    }
}
