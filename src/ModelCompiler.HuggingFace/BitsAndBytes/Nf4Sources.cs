using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using ModelCompiler.Backends;
using ModelCompiler.HuggingFace.Config;
using ModelCompiler.HuggingFace.Families;
using ModelCompiler.HuggingFace.Weights;
using ModelCompiler.Models;
using ModelCompiler.Planning;
using ModelCompiler.Quantization;
using ModelCompiler.Safetensors;
using ModelCompiler.Tensors;

namespace ModelCompiler.HuggingFace.BitsAndBytes;

/// <summary>NF4 weights as bitsandbytes writes them, byte for byte what the backend holds.</summary>
internal static class Nf4Sources
{
    /// <summary>The blocks' factors: F32, or U8 where they are quantized too.</summary>
    public const string Absmax = ".absmax";

    /// <summary>The 16 values of the codes.</summary>
    public const string QuantMap = ".quant_map";

    /// <summary>The factors of the factors.</summary>
    public const string NestedAbsmax = ".nested_absmax";

    /// <summary>The 256 values of the factors' codes.</summary>
    public const string NestedQuantMap = ".nested_quant_map";

    private const string WeightSuffix = ".weight";

    /// <summary>The tensors of one weight, or of several that are the rows of one.</summary>
    /// <param name="kernels">The backend that holds them.</param>
    /// <param name="name">Its name.</param>
    /// <param name="parts">The weights in the order of their rows; of several <see cref="CanJoin"/> must be true.</param>
    /// <param name="type">The type they stand for.</param>
    public static IEnumerable<TensorSource> Of(IBackend kernels, string name, Tensor[] parts, SafetensorsType type)
    {
        Tensor first = parts[0];
        bool nested = first.Type.IsNested();
        StorageLayout[] layouts = [.. parts.Select(p => StorageLayout.Of(p.Type, p.Rows, p.Columns))];
        TensorSource Part(string suffix, SafetensorsType partType, Func<StorageLayout, long> offset, Func<StorageLayout, long> count, bool column = false)
        {
            long total = layouts.Sum(count);
            return TensorSource.FromBytes(name + suffix, partType, column ? [total, 1] : [total], (from, bytes) =>
            {
                long start = 0;
                foreach ((Tensor part, StorageLayout layout) in parts.Zip(layouts))
                {
                    long end = start + count(layout) * partType.Size();
                    (long low, long high) = (Math.Max(from, start), Math.Min(from + bytes.Length, end));
                    if (low < high)
                    {
                        kernels.Read(Bytes(part, offset(layout) + low - start, (int)(high - low)), bytes[(int)(low - from)..(int)(high - from)]);
                    }

                    start = end;
                }
            });
        }

        yield return Part("", SafetensorsType.U8, static _ => 0, static l => l.CodeBytes, column: true);
        yield return Part(Absmax, nested ? SafetensorsType.U8 : SafetensorsType.F32, static l => l.Factors, static l => l.Blocks);
        yield return TensorSource.FromBytes(name + QuantMap, SafetensorsType.F32, MemoryMarshal.AsBytes(Nf4.Codebook).ToArray());
        float? mean = null;
        if (nested)
        {
            yield return Part(NestedAbsmax, SafetensorsType.F32, static l => l.Nested, static l => l.NestedBlocks);
            yield return TensorSource.FromBytes(name + NestedQuantMap, SafetensorsType.F32, MemoryMarshal.AsBytes(DynamicMap.Signed.Values).ToArray());
            var bytes = new byte[sizeof(float)];
            kernels.Read(Bytes(first, layouts[0].Mean, sizeof(float)), bytes.AsSpan());
            mean = MemoryMarshal.Read<float>(bytes);
        }

        var state = new Nf4State(first.Type.BlockSize(), ConfigurationFile.TypeName(type), parts.Sum(p => p.Rows), first.Columns, mean);
        yield return TensorSource.FromBytes(name + Nf4State.Suffix, SafetensorsType.U8, state.ToJson());
    }

    /// <summary>Whether weights can be the rows of one: of one storage, of whole blocks, and with factors of their own.</summary>
    public static bool CanJoin(Tensor[] parts) => parts.All(p => p.Type == parts[0].Type && !p.Type.IsNested() && p.Type.IsQuantized() && p.Count % p.Type.BlockSize() == 0);

    /// <summary>The value of quantization_config, by which Transformers knows such a checkpoint.</summary>
    public static string Configuration(IReadOnlyList<Parameter> parameters, TensorMap map, SafetensorsType type)
    {
        using var buffer = new MemoryStream();
        using var json = new Utf8JsonWriter(buffer);
        json.WriteStartObject();
        json.WriteString("quant_method", "bitsandbytes");
        json.WriteBoolean("load_in_4bit", true);
        json.WriteBoolean("load_in_8bit", false);
        json.WriteString("bnb_4bit_quant_type", "nf4");
        json.WriteBoolean("bnb_4bit_use_double_quant", parameters.Any(p => p.Value.Type.IsNested()));
        json.WriteString("bnb_4bit_compute_dtype", ConfigurationFile.TypeName(type));
        json.WriteString("bnb_4bit_quant_storage", "uint8");

        // Transformers takes every other linear layer for quantized.
        json.WriteStartArray("llm_int8_skip_modules");
        IEnumerable<string> others = parameters.Where(p => !p.Value.Type.IsQuantized() && p.Info is { PerLayer: true, Vector: false }).Select(p => map.Of(p).Tensor).Append(map.Head);
        foreach (string tensor in others.Distinct())
        {
            json.WriteStringValue(tensor[..^WeightSuffix.Length]);
        }

        json.WriteEndArray();
        json.WriteEndObject();
        json.Flush();
        return Encoding.UTF8.GetString(buffer.ToArray());
    }

    private static Tensor Bytes(Tensor weight, long first, int count) => new(weight.Offset + first, 1, count, count, DType.UInt8);
}
