using System.Text.RegularExpressions;
using ModelCompiler.Adapters;
using ModelCompiler.Files;
using ModelCompiler.Models;
using ModelCompiler.Safetensors;

namespace ModelCompiler.HuggingFace.Peft;

/// <summary>A LoRA or DoRA adapter in PEFT's format: a folder with adapter_config.json and adapter_model.safetensors.</summary>
/// <param name="Config">Ranks, scale and targets.</param>
/// <param name="Modules">The matrices by module path in the base model, such as model.layers.0.self_attn.q_proj.</param>
public sealed partial record PeftAdapter(PeftConfig Config, IReadOnlyDictionary<string, LowRankFactors> Modules)
{
    /// <summary>Name of the configuration.</summary>
    public const string ConfigName = "adapter_config.json";

    /// <summary>Name of the weights.</summary>
    public const string WeightsName = "adapter_model.safetensors";

    private const string Prefix = "base_model.model.";

    /// <summary>Loads an adapter.</summary>
    /// <exception cref="CheckpointException">
    /// A file is missing or damaged, the adapter is not a plain LoRA, a matrix has no partner, or its rank is not the configured one.
    /// </exception>
    public static PeftAdapter Load(string folder)
    {
        PeftConfig config = PeftConfigJson.Read(Path.Combine(folder, ConfigName));
        using SafetensorsFile file = SafetensorsFile.Open(Path.Combine(folder, WeightsName));
        var modules = new SortedDictionary<string, LowRankFactors>(StringComparer.Ordinal);
        foreach (TensorEntry tensor in file.Tensors)
        {
            if (TensorName().Match(tensor.Name) is not { Success: true } match)
            {
                throw new CheckpointException(file.Path, $"tensor '{tensor.Name}' is not part of a plain LoRA adapter ({Prefix}MODULE.lora_A.weight or lora_B.weight, of DoRA lora_magnitude_vector)");
            }

            string module = match.Groups["module"].Value;
            if (!modules.ContainsKey(module))
            {
                modules.Add(module, Read(file, module, config));
            }
        }

        return modules.Count > 0 ? new PeftAdapter(config, modules) : throw new CheckpointException(file.Path, "has no adapter matrices");
    }

    /// <summary>Writes both files into a folder, which is made if absent; the weights as F32.</summary>
    /// <exception cref="OutputException">The folder or a file cannot be written.</exception>
    /// <exception cref="ArgumentException">A matrix's size is not what its module says, or its rank not what the configuration says.</exception>
    public void Save(string folder)
    {
        var tensors = new List<TensorSource>();
        foreach ((string path, LowRankFactors module) in Modules)
        {
            if (module.Rank != Config.RankOf(path) || module.A.Length != (long)module.Rank * module.Inputs || module.B.Length != (long)module.Outputs * module.Rank
                || module.Magnitude?.Length != (Config.UseDora ? module.Outputs : null))
            {
                throw new ArgumentException(
                    $"module '{path}' of rank {module.Rank} has {module.A.Length} and {module.B.Length} elements and {module.Magnitude?.Length ?? 0} magnitudes; the configuration says rank {Config.RankOf(path)}{(Config.UseDora ? " and DoRA" : "")}", nameof(folder));
            }

            tensors.Add(TensorSource.FromArray(NameOf(path, 'A'), module.A, SafetensorsType.F32, module.Rank, module.Inputs));
            tensors.Add(TensorSource.FromArray(NameOf(path, 'B'), module.B, SafetensorsType.F32, module.Outputs, module.Rank));
            if (module.Magnitude is { } magnitude)
            {
                tensors.Add(TensorSource.FromArray(MagnitudeOf(path), magnitude, SafetensorsType.F32, module.Outputs));
            }
        }

        AtomicFile.CreateFolder(folder);
        SafetensorsWriter.Write(Path.Combine(folder, WeightsName), tensors);
        PeftConfigJson.Write(Path.Combine(folder, ConfigName), Config);
    }

    /// <summary>The modules that a folder's adapter is on.</summary>
    /// <exception cref="CheckpointException">The weights are missing or damaged.</exception>
    internal static IEnumerable<string> ModulesIn(string folder)
    {
        using SafetensorsFile file = SafetensorsFile.Open(Path.Combine(folder, WeightsName));
        return [.. file.Tensors.Select(t => TensorName().Match(t.Name)).Where(m => m.Success).Select(m => m.Groups["module"].Value).Distinct()];
    }

    private static string NameOf(string module, char matrix) => $"{Prefix}{module}.lora_{matrix}.weight";

    private static string MagnitudeOf(string module) => $"{Prefix}{module}.lora_magnitude_vector";

    private static LowRankFactors Read(SafetensorsFile file, string module, PeftConfig config)
    {
        int rank = config.RankOf(module);
        TensorEntry a = file[NameOf(module, 'A')];
        TensorEntry b = file[NameOf(module, 'B')];
        if (a.Shape.Count != 2 || b.Shape.Count != 2 || a.Shape[0] != rank || b.Shape[1] != rank || a.Shape[1] > int.MaxValue || b.Shape[0] > int.MaxValue)
        {
            throw new CheckpointException(
                file.Path, $"module '{module}': A is {a.ShapeText} and B is {b.ShapeText}, but {ConfigName} says rank {rank}: [{rank}, inputs] and [outputs, {rank}]");
        }

        string magnitude = MagnitudeOf(module);
        string found = file.Contains(magnitude) ? file[magnitude].ShapeText : "absent";
        if (file.Contains(magnitude) != config.UseDora || (config.UseDora && !file[magnitude].Shape.SequenceEqual([b.Shape[0]])))
        {
            throw new CheckpointException(
                file.Path, $"module '{module}': tensor '{magnitude}' is {found}, but {ConfigName} says {(config.UseDora ? $"use_dora, which needs [{b.Shape[0]}]" : "no use_dora")}");
        }

        return new LowRankFactors(rank, (int)a.Shape[1], (int)b.Shape[0], file.Read(a.Name), file.Read(b.Name)) { Magnitude = config.UseDora ? file.Read(magnitude) : null };
    }

    [GeneratedRegex(@"\Abase_model\.model\.(?<module>.+)\.lora_(?:[AB]\.weight|magnitude_vector)\z", RegexOptions.CultureInvariant)]
    private static partial Regex TensorName();
}
