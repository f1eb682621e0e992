using ModelCompiler.Files;
using ModelCompiler.HuggingFace.BitsAndBytes;
using ModelCompiler.HuggingFace.Checkpoints;
using ModelCompiler.HuggingFace.Config;
using ModelCompiler.HuggingFace.Peft;
using ModelCompiler.Models;
using ModelCompiler.Planning;
using ModelCompiler.Safetensors;

namespace ModelCompiler.HuggingFace.Weights;

/// <summary>
/// Writes a base folder with other weights: each tensor in the type that the base has it in, config.json with every key of the base's, and a copy of every other
/// file, the tokenizer and the chat template among them. The weights become one file.
/// </summary>
public static class BaseFolder
{
    /// <summary>Writes the weights that a model holds, without its adapters.</summary>
    /// <param name="model">The model.</param>
    /// <param name="from">The base that it was loaded from.</param>
    /// <param name="to">The folder to write; made if absent.</param>
    /// <param name="type">F32, F16 or BF16 for all weights; null: as the base.</param>
    /// <returns>The files written.</returns>
    /// <exception cref="CheckpointException">The base cannot be read, the folder holds the shards of another checkpoint, or a weight is too large for its type.</exception>
    /// <exception cref="OutputException">A file cannot be written.</exception>
    public static string[] Save(TransformerModel model, string from, string to, SafetensorsType? type = null) => Save(model, from, to, type, _ => null);

    /// <summary>Writes the weights with those that are NF4 in bitsandbytes' form, the others as the base has them.</summary>
    /// <inheritdoc cref="Save(TransformerModel, string, string, SafetensorsType?)"/>
    /// <exception cref="ArgumentException">No weight is quantized, or one in a way that bitsandbytes has no form for.</exception>
    public static string[] SaveQuantized(TransformerModel model, string from, string to)
    {
        using BaseCheckpoint checkpoint = BaseCheckpoint.Open(from, model.Tables);
        TensorSource[] tensors = [.. MappedSources.Quantized(model, checkpoint.Map, checkpoint.TypeOf)];
        SafetensorsType stands = BaseWeights.Base(model).Where(p => p.Value.Type.IsQuantized()).Select(p => checkpoint.TypeOf(checkpoint.Map.Of(p))).First();
        string quantization = Nf4Sources.Configuration(BaseWeights.Base(model), checkpoint.Map, stands);
        return Write(checkpoint, model, from, to, tensors, null, quantization);
    }

    /// <summary>Refuses a folder whose index would make the weights written into it ambiguous.</summary>
    /// <exception cref="CheckpointException">There is one.</exception>
    public static void RequireNoShards(string folder)
    {
        string index = Path.Combine(folder, Checkpoint.IndexName);
        if (File.Exists(index))
        {
            throw new CheckpointException(index, "the folder holds another checkpoint in shards, which the weights to be written would contradict; name another folder, or remove it");
        }
    }

    /// <summary>Writes the weights, some of them replaced.</summary>
    internal static string[] Save(TransformerModel model, string from, string to, SafetensorsType? type, Func<Parameter, FillRows?> replacement)
    {
        using BaseCheckpoint checkpoint = BaseCheckpoint.Open(from, model.Tables);
        return Write(checkpoint, model, from, to, [.. MappedSources.Of(model, checkpoint.Map, p => type ?? checkpoint.TypeOf(p), replacement)], type, null);
    }

    private static string[] Write(BaseCheckpoint checkpoint, TransformerModel model, string from, string to, TensorSource[] tensors, SafetensorsType? type, string? quantization)
    {
        RequireNoShards(to);
        AtomicFile.CreateFolder(to);
        string[] others = Directory.Exists(from) ? [.. FolderFiles.Others(from, to)] : [];
        string weights = Path.Combine(to, Checkpoint.FileName);
        SafetensorsWriter.Write(weights, [.. tensors, .. Buffers(checkpoint)]);

        string config = Path.Combine(to, ModelConfiguration.FileName);
        string original = Path.Combine(from, ModelConfiguration.FileName);
        if (File.Exists(original))
        {
            ConfigurationFile.Copy(original, config, type is { } given ? ConfigurationFile.TypeName(given) : null, quantization);
        }
        else
        {
            SafetensorsType stored = type ?? checkpoint.TypeOf(checkpoint.Map.Of(BaseWeights.Base(model)[0]));
            ConfigurationFile.Write(config, model.Tables, checkpoint.Map.Family, ConfigurationFile.TypeName(stored), quantization);
        }

        return [weights, config, .. FolderFiles.Copy(from, to, others)];
    }

    /// <summary>Tensors of the base that no description computes with, as they are.</summary>
    private static IEnumerable<TensorSource> Buffers(BaseCheckpoint checkpoint)
    {
        string[] names = [.. checkpoint.Map.Tensors()];
        foreach (string name in checkpoint.Tensors.Names.Where(n => IsBuffer(checkpoint.Named(n))))
        {
            TensorEntry entry = checkpoint.Tensors.Entry(name);
            yield return TensorSource.FromBytes(checkpoint.Named(name), entry.Type, entry.Shape, (first, bytes) => checkpoint.Tensors.ReadBytes(name, first, bytes));
        }

        bool IsBuffer(string name) => !checkpoint.Map.Family.IsWeight(name) && !names.Any(w => name.StartsWith(w, StringComparison.Ordinal));
    }
}
