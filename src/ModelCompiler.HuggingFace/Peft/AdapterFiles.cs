using ModelCompiler.Adapters;
using ModelCompiler.Backends;
using ModelCompiler.Models;
using ModelCompiler.Planning;
using ModelCompiler.Safetensors;
using ModelCompiler.Tensors;

namespace ModelCompiler.HuggingFace.Peft;

/// <summary>
/// The adapters of a model in PEFT's format, folded to plain LoRA where their method is another: adapter_config.json and
/// adapter_model.safetensors. What folding loses is saved beside them, so that the model can be loaded and trained on.
/// </summary>
public static class AdapterFiles
{
    /// <summary>Name of the file with all parameters of methods that plain LoRA does not hold.</summary>
    public const string StateName = "adapter_state.safetensors";

    private const double Tolerance = 1e-6;

    /// <summary>Writes every adapter. Where all layers carry one, targets are named by suffix; else by full path.</summary>
    /// <param name="model">The model.</param>
    /// <param name="folder">The folder; made if absent.</param>
    /// <param name="baseModel">What adapter_config.json names as the base.</param>
    /// <exception cref="Files.OutputException">A file cannot be written.</exception>
    /// <exception cref="ArgumentException">The model has no adapters.</exception>
    public static void Save(TransformerModel model, string folder, string? baseModel = null)
    {
        (AdapterState Adapter, LowRankFactors Module)[] adapters = [.. Adapters(model).Select(a => (a, Export(a, model)))];
        new PeftAdapter(Configuration(adapters, baseModel), adapters.ToDictionary(a => a.Adapter.Module, a => a.Module)).Save(folder);
        Parameter[] state = [.. State(model)];
        if (state.Length > 0)
        {
            SafetensorsWriter.Write(
                Path.Combine(folder, StateName), state.Select(p => TensorSource.FromTensor(model.Kernels, p.Name, p.Value, p.Row.Vector, SafetensorsType.F32)));
        }
    }

    private static LowRankFactors Export(AdapterState adapter, TransformerModel model)
    {
        Garbage.Limit();
        return adapter.Export(model);
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
        AdapterState[] adapters = Adapters(model);
        LoadState(model, folder);
        adapters = [.. adapters.Where(a => a.IsLora)];
        if (adapters.Length == 0)
        {
            return;
        }

        PeftAdapter file = PeftAdapter.Load(folder);
        HashSet<string> modules = [.. adapters.Select(a => a.Module)];
        string[] problems =
        [
            .. adapters.Select(a => Problem(a, file)).OfType<string>(),
            .. file.Modules.Keys.Where(m => !modules.Contains(m) && !model.Adapters.Any(a => a.Module == m)).Select(m => $"'{m}' is adapted in the file, not in the recipe"),
        ];
        if (problems.Length > 0)
        {
            string rest = problems.Length > 4 ? $"; and {problems.Length - 4} more" : "";
            throw new CheckpointException(folder, $"does not fit {model.Tables.Name}: {string.Join("; ", problems.Take(4))}{rest}");
        }

        foreach (AdapterState adapter in adapters)
        {
            adapter.Unfold(model, file.Modules[adapter.Module]);
        }
    }

    /// <summary>The ranks that an adapter was saved with, to plan a model by; null where the model's methods have none but the declared ones.</summary>
    /// <param name="tables">The model.</param>
    /// <param name="folder">The folder.</param>
    /// <exception cref="CheckpointException">adapter_config.json is absent or damaged.</exception>
    public static RankPattern? Ranks(ModelTables tables, string folder)
    {
        if (!tables.Slots.Any(s => s.AdaptiveRanks))
        {
            return null;
        }

        PeftConfig config = PeftConfigJson.Read(Path.Combine(folder, PeftAdapter.ConfigName));
        return new RankPattern(tables, (slot, layer) => tables.Slots[slot] is { AdaptiveRanks: true } row ? config.RankOf(row.ModuleIn(layer)) : tables.Slots[slot].Rank);
    }

    private static void LoadState(TransformerModel model, string folder)
    {
        Parameter[] state = [.. State(model)];
        if (state.Length == 0)
        {
            return;
        }

        string path = Path.Combine(folder, StateName);
        if (!File.Exists(path))
        {
            throw new CheckpointException(path, $"is absent: the {string.Join(" and ", model.Adapters.Where(a => !a.IsLora).Select(a => a.Slot.Method).Distinct())} adapters of {model.Tables.Name} are more than the matrices beside it");
        }

        using SafetensorsFile file = SafetensorsFile.Open(path);
        foreach (Parameter parameter in state)
        {
            if (!file.Contains(parameter.Name) || file[parameter.Name].Shape.Aggregate(1L, (product, size) => product * size) != parameter.Value.Count)
            {
                string found = file.Contains(parameter.Name) ? file[parameter.Name].ShapeText : "absent";
                throw new CheckpointException(path, $"tensor '{parameter.Name}' is {found}, {model.Tables.Name} needs [{parameter.Value.Rows}, {parameter.Value.Columns}]");
            }
        }

        foreach (Parameter parameter in state)
        {
            RowBlocks.Load(model.Kernels, parameter.Value, (first, count, values) => file.ReadRows(parameter.Name, first, count, values));
        }
    }

    private static IEnumerable<Parameter> State(TransformerModel model) => model.Adapters.Where(a => !a.IsLora).SelectMany(a => a.Parameters);

    private static AdapterState[] Adapters(TransformerModel model) => model.Adapters.Count > 0
        ? [.. model.Adapters]
        : throw new ArgumentException($"{model.Tables.Name} has no adapters; save its weights instead", nameof(model));

    private static PeftConfig Configuration((AdapterState Adapter, LowRankFactors Module)[] adapters, string? baseModel)
    {
        bool stabilized = adapters.All(a => a.Adapter.Slot.RankStabilized);
        double AlphaOf((AdapterState Adapter, LowRankFactors Module) a) => a.Adapter.Scale == a.Adapter.Slot.Scale(a.Module.Rank) && (!a.Adapter.Slot.RankStabilized || stabilized)
            ? a.Adapter.Slot.Alpha
            : a.Adapter.Scale * (stabilized ? Math.Sqrt(a.Module.Rank) : a.Module.Rank);
        int rank = adapters.GroupBy(a => a.Module.Rank).MaxBy(g => g.Count())!.Key;
        double alpha = adapters.GroupBy(AlphaOf).MaxBy(g => g.Count())!.Key;
        bool everywhere = adapters.All(a => a.Adapter.Slot.FirstLayer == 0);
        return new PeftConfig
        {
            R = rank,
            Alpha = alpha,
            Dropout = Math.Round(adapters.Max(a => a.Adapter.Slot.Dropout), 6),
            UseRslora = stabilized,
            UseDora = adapters.All(a => a.Adapter.HasMagnitude),
            TargetModules = everywhere
                ? [.. adapters.Select(a => a.Adapter.Module[(a.Adapter.Module.LastIndexOf('.') + 1)..]).Distinct()]
                : [.. adapters.Select(a => a.Adapter.Module)],
            RankPattern = [.. adapters.Where(a => a.Module.Rank != rank).Select(a => KeyValuePair.Create(a.Adapter.Module, a.Module.Rank))],
            AlphaPattern = [.. adapters.Where(a => AlphaOf(a) != alpha).Select(a => KeyValuePair.Create(a.Adapter.Module, AlphaOf(a)))],
            BaseModel = baseModel,
        };
    }

    private static string? Problem(AdapterState adapter, PeftAdapter file)
    {
        if (!file.Modules.TryGetValue(adapter.Module, out LowRankFactors? module))
        {
            return $"'{adapter.Module}' has no adapter in the file";
        }

        if (module.Rank != adapter.ExportRank)
        {
            return $"'{adapter.Module}' has rank {module.Rank} in the file, {adapter.ExportRank} in the plan";
        }

        (int inputs, int outputs) = (adapter.Inputs, adapter.Outputs);
        if (module.Inputs != inputs || module.Outputs != outputs)
        {
            return $"'{adapter.Module}' maps {module.Inputs} to {module.Outputs} in the file, {inputs} to {outputs} in the recipe";
        }

        if (file.Config.UseDora != adapter.HasMagnitude)
        {
            return $"'{adapter.Module}' is {(file.Config.UseDora ? "DoRA" : "plain LoRA")} in the file, {adapter.Slot.Method} in the recipe";
        }

        double scale = file.Config.ScaleOf(adapter.Module);
        return Math.Abs(scale - adapter.Scale) > Tolerance * Math.Abs(scale)
            ? $"'{adapter.Module}' has scale {scale} in the file (alpha {file.Config.AlphaOf(adapter.Module)}), {adapter.Scale} in the recipe (alpha {adapter.Slot.Alpha})"
            : null;
    }
}
