using ModelCompiler.Adapters;
using ModelCompiler.Backends;
using ModelCompiler.HuggingFace.Families;
using ModelCompiler.HuggingFace.Weights;
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
        _ = Adapters(model);
        TensorMap map = BaseWeights.MapOf(model);
        ExportedModule[] modules = MappedAdapters.Join(model, map, adapter => Export(adapter, model));
        new PeftAdapter(Configuration(model, map, modules, baseModel), modules.ToDictionary(m => m.Module, m => m.Factors)).Save(folder);
        Parameter[] state = [.. State(model)];
        if (state.Length > 0)
        {
            SafetensorsWriter.Write(
                Path.Combine(folder, StateName), state.Select(p => TensorSource.FromTensor(model.Backend, p.Path, p.Value, p.Info.Vector, SafetensorsType.F32)));
        }
    }

    private static LowRankFactors Export(AdapterState adapter, TransformerModel model)
    {
        Garbage.Limit();
        return adapter.ToPeft(model);
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
        TensorMap map = MappedAdapters.MapOf(model.Tables, model.Base, file.Modules.Keys);
        Dictionary<string, int> ranks = model.Adapters.ToDictionary(a => a.Path, a => a.PeftRank);
        Dictionary<string, LowRankFactors> factors = MappedAdapters.Split(file, map, path => ranks.TryGetValue(path, out int rank) ? rank : null);
        HashSet<string> modules = [.. model.Adapters.Select(map.ModuleOf)];
        string[] problems =
        [
            .. adapters.Select(a => Problem(a, map, factors.GetValueOrDefault(a.Path), file)).OfType<string>(),
            .. file.Modules.Keys.Where(m => !modules.Contains(m)).Select(m => $"'{m}' is adapted in the file, not in the recipe"),
            .. factors.Where(f => !ranks.ContainsKey(f.Key) && modules.Contains(map.ModuleOf(f.Key)) && f.Value.B.Any(static b => b != 0)).Select(f => $"'{f.Key}' is adapted in the file, not in the recipe"),
        ];
        if (problems.Length > 0)
        {
            string rest = problems.Length > 4 ? $"; and {problems.Length - 4} more" : "";
            throw new CheckpointException(folder, $"does not fit {model.Tables.Name}: {string.Join("; ", problems.Take(4))}{rest}");
        }

        foreach (AdapterState adapter in adapters)
        {
            adapter.FromLora(model, Scaled(factors[adapter.Path], file.Config.ScaleOf(map.ModuleOf(adapter)) / adapter.Scale));
        }
    }

    /// <summary>The ranks that an adapter was saved with, to plan a model by; null where the model's methods have none but the declared ones.</summary>
    /// <param name="tables">The model.</param>
    /// <param name="folder">The folder.</param>
    /// <exception cref="CheckpointException">adapter_config.json is absent or damaged.</exception>
    public static RankPattern? Ranks(ModelTables tables, string folder)
    {
        if (!tables.Slots.Any(s => s.Options.AdaptiveRanks))
        {
            return null;
        }

        PeftConfig config = PeftConfigJson.Read(Path.Combine(folder, PeftAdapter.ConfigName));
        TensorMap map = MappedAdapters.MapOf(tables, null, PeftAdapter.ModulesIn(folder));
        return new RankPattern(
            tables, (slot, layer) => tables.Slots[slot] is { Options.AdaptiveRanks: true } row ? RankOf(row, layer, map, config, folder) : tables.Slots[slot].Rank);
    }

    private static int RankOf(AdapterSlot slot, int layer, TensorMap map, PeftConfig config, string folder)
    {
        if (map.PartsOf(slot).Length == 1)
        {
            return config.RankOf(map.ModuleOf(slot, layer));
        }

        // The rank of the module is the sum of those of its projections.
        string path = Path.Combine(folder, StateName);
        string tensor = slot.PathIn(layer) + ".Adapter.A";
        if (!File.Exists(path))
        {
            throw new CheckpointException(path, $"is missing: '{map.ModuleOf(slot, layer)}' holds several projections, and only this file has the rank of each");
        }

        using SafetensorsFile state = SafetensorsFile.Open(path);
        return state.Contains(tensor) ? (int)state[tensor].Rows : throw new CheckpointException(path, $"has no tensor '{tensor}', which holds the rank of '{slot.PathIn(layer)}'");
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
            throw new CheckpointException(path, $"is missing: the {string.Join(" and ", model.Adapters.Where(a => !a.IsLora).Select(a => a.Slot.Method).Distinct())} adapters of {model.Tables.Name} are more than the matrices beside it");
        }

        using SafetensorsFile file = SafetensorsFile.Open(path);
        foreach (Parameter parameter in state)
        {
            if (!file.Contains(parameter.Path) || file[parameter.Path].Shape.Aggregate(1L, (product, size) => product * size) != parameter.Value.Count)
            {
                string found = file.Contains(parameter.Path) ? file[parameter.Path].ShapeText : "absent";
                throw new CheckpointException(path, $"tensor '{parameter.Path}' is {found}, {model.Tables.Name} needs [{parameter.Value.Rows}, {parameter.Value.Columns}]");
            }
        }

        foreach (Parameter parameter in state)
        {
            RowBlocks.Load(model.Backend, parameter.Value, (first, count, values) => file.ReadRows(parameter.Path, first, count, values));
        }
    }

    private static IEnumerable<Parameter> State(TransformerModel model) => model.Adapters.Where(a => !a.IsLora).SelectMany(a => a.Parameters);

    private static AdapterState[] Adapters(TransformerModel model) => model.Adapters.Count > 0
        ? [.. model.Adapters]
        : throw new ArgumentException($"{model.Tables.Name} has no adapters; save its weights instead", nameof(model));

    private static PeftConfig Configuration(TransformerModel model, TensorMap map, ExportedModule[] modules, string? baseModel)
    {
        bool stabilized = model.Adapters.All(a => a.Slot.RankStabilized);
        double AlphaOf(ExportedModule m) => !m.IsJoined && (float)m.Scale == m.Slot.Scale(m.Factors.Rank) && (!m.Slot.RankStabilized || stabilized)
            ? m.Slot.Alpha
            : m.Scale * (stabilized ? Math.Sqrt(m.Factors.Rank) : m.Factors.Rank);
        int rank = modules.GroupBy(m => m.Factors.Rank).MaxBy(g => g.Count())!.Key;
        double alpha = modules.GroupBy(AlphaOf).MaxBy(g => g.Count())!.Key;
        return new PeftConfig
        {
            R = rank,
            Alpha = alpha,
            Dropout = Math.Round(model.Adapters.Max(a => a.Slot.Dropout), 6),
            UseRslora = stabilized,
            UseDora = model.Adapters.All(a => a.HasMagnitude),
            FanInFanOut = model.Adapters.Any(a => map.Of(a.WeightIn(model)).Transposed),
            TargetModules = model.Adapters.All(a => a.Slot.Layers is null) ? [.. Targets(map, modules).Distinct()] : [.. modules.Select(m => m.Module)],
            RankPattern = [.. modules.Where(m => m.Factors.Rank != rank).Select(m => KeyValuePair.Create(m.Module, m.Factors.Rank))],
            AlphaPattern = [.. modules.Where(m => AlphaOf(m) != alpha).Select(m => KeyValuePair.Create(m.Module, AlphaOf(m)))],
            BaseModel = baseModel,
        };
    }

    /// <summary>The shortest ends of the modules' names that no module without an adapter has: GPT-2's attention and feed-forward layer both have a c_proj.</summary>
    private static IEnumerable<string> Targets(TensorMap map, ExportedModule[] modules)
    {
        HashSet<string> adapted = [.. modules.Select(m => m.Module)];
        string[] others = [.. map.Projections().Select(p => p.Module).Where(m => !adapted.Contains(m)).Distinct()];
        foreach (string module in adapted)
        {
            int dot = module.LastIndexOf('.');
            while (dot > 0 && others.Any(other => other.EndsWith(module[dot..], StringComparison.Ordinal)))
            {
                dot = module.LastIndexOf('.', dot - 1);
            }

            yield return module[(dot + 1)..];
        }
    }

    /// <summary>A module has one scale; projections in it may have others, which their rows of B make up for.</summary>
    private static LowRankFactors Scaled(LowRankFactors module, double factor) =>
        Math.Abs(factor - 1) <= Tolerance ? module : module with { B = [.. module.B.Select(b => (float)(factor * b))] };

    private static string? Problem(AdapterState adapter, TensorMap map, LowRankFactors? module, PeftAdapter file)
    {
        string name = map.ModuleOf(adapter);
        if (module is null)
        {
            return $"'{name}' has no adapter in the file";
        }

        if (module.Rank != adapter.PeftRank)
        {
            return $"'{name}' has rank {module.Rank} in the file, {adapter.PeftRank} in the plan";
        }

        (int inputs, int outputs) = (adapter.Inputs, adapter.Outputs);
        if (module.Inputs != inputs || module.Outputs != outputs)
        {
            return $"'{name}' maps {module.Inputs} to {module.Outputs} in the file, {inputs} to {outputs} in the recipe";
        }

        if (file.Config.UseDora != adapter.HasMagnitude)
        {
            return $"'{name}' is {(file.Config.UseDora ? "DoRA" : "plain LoRA")} in the file, {adapter.Slot.Method} in the recipe";
        }

        double scale = file.Config.ScaleOf(name);
        return map.PartsOf(adapter.Slot).Length == 1 && Math.Abs(scale - adapter.Scale) > Tolerance * Math.Abs(scale)
            ? $"'{name}' has scale {scale} in the file (alpha {file.Config.AlphaOf(name)}), {adapter.Scale} in the recipe (alpha {adapter.Slot.Alpha})"
            : null;
    }
}
