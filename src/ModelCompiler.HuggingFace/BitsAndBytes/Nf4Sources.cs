using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using ModelCompiler.Backends;
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
    /// <summary>The blocks' factors: F32, or U8 where they are quantised too.</summary>
    public const string Absmax = ".absmax";

    /// <summary>The 16 values of the codes.</summary>
    public const string QuantMap = ".quant_map";

    /// <summary>The factors of the factors.</summary>
    public const string NestedAbsmax = ".nested_absmax";

    /// <summary>The 256 values of the factors' codes.</summary>
    public const string NestedQuantMap = ".nested_quant_map";

    private const string WeightSuffix = ".weight";

    /// <summary>The tensors of one weight.</summary>
    /// <param name="kernels">The backend that holds it.</param>
    /// <param name="name">Its name.</param>
    /// <param name="weight">The weight, NF4.</param>
    /// <param name="type">The type it stands for.</param>
    public static IEnumerable<TensorSource> Of(IBackend kernels, string name, Tensor weight, SafetensorsType type)
    {
        StorageLayout layout = StorageLayout.Of(weight.Type, weight.Rows, weight.Columns);
        TensorSource Part(string suffix, SafetensorsType partType, long offset, params long[] shape) =>
            TensorSource.FromBytes(name + suffix, partType, shape, (first, bytes) => kernels.Read(Bytes(weight, offset + first, bytes.Length), bytes));

        bool nested = weight.Type.IsNested();
        yield return Part("", SafetensorsType.U8, 0, layout.CodeBytes, 1);
        yield return Part(Absmax, nested ? SafetensorsType.U8 : SafetensorsType.F32, layout.Factors, layout.Blocks);
        yield return TensorSource.FromBytes(name + QuantMap, SafetensorsType.F32, MemoryMarshal.AsBytes(Nf4.Codebook).ToArray());
        float? mean = null;
        if (nested)
        {
            yield return Part(NestedAbsmax, SafetensorsType.F32, layout.Nested, layout.NestedBlocks);
            yield return TensorSource.FromBytes(name + NestedQuantMap, SafetensorsType.F32, MemoryMarshal.AsBytes(DynamicMap.Signed.Values).ToArray());
            var bytes = new byte[sizeof(float)];
            kernels.Read(Bytes(weight, layout.Mean, sizeof(float)), bytes.AsSpan());
            mean = MemoryMarshal.Read<float>(bytes);
        }

        var state = new Nf4State(weight.Type.BlockSize(), BaseWeights.TypeName(type), weight.Rows, weight.Columns, mean);
        yield return TensorSource.FromBytes(name + Nf4State.Suffix, SafetensorsType.U8, state.ToJson());
    }

    /// <summary>The value of quantization_config, by which Transformers knows such a checkpoint.</summary>
    public static string Configuration(IReadOnlyList<Parameter> parameters, SafetensorsType type)
    {
        using var buffer = new MemoryStream();
        using var json = new Utf8JsonWriter(buffer);
        json.WriteStartObject();
        json.WriteString("quant_method", "bitsandbytes");
        json.WriteBoolean("load_in_4bit", true);
        json.WriteBoolean("load_in_8bit", false);
        json.WriteString("bnb_4bit_quant_type", "nf4");
        json.WriteBoolean("bnb_4bit_use_double_quant", parameters.Any(p => p.Value.Type.IsNested()));
        json.WriteString("bnb_4bit_compute_dtype", BaseWeights.TypeName(type));
        json.WriteString("bnb_4bit_quant_storage", "uint8");

        // Transformers takes every other linear layer for quantised.
        json.WriteStartArray("llm_int8_skip_modules");
        foreach (Parameter parameter in parameters.Where(p => !p.Value.Type.IsQuantized() && p.Name.EndsWith("proj" + WeightSuffix, StringComparison.Ordinal)))
        {
            json.WriteStringValue(parameter.Name[..^WeightSuffix.Length]);
        }

        json.WriteStringValue("lm_head");
        json.WriteEndArray();
        json.WriteEndObject();
        json.Flush();
        return Encoding.UTF8.GetString(buffer.ToArray());
    }

    private static Tensor Bytes(Tensor weight, long first, int count) => new(weight.Offset + first, 1, count, count, DType.UInt8);
}
