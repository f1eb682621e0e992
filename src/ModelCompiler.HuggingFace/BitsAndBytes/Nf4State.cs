using System.Globalization;
using System.Text;
using ModelCompiler.Reading;
using ModelCompiler.Safetensors;

namespace ModelCompiler.HuggingFace.BitsAndBytes;

/// <summary>
/// What bitsandbytes says of a quantized weight in the tensor <see cref="Suffix"/>: UTF-8 JSON, written as Python's json.dumps writes it so
/// that files agree byte for byte.
/// </summary>
/// <param name="BlockSize">Elements that share an absmax.</param>
/// <param name="StoredType">Type of the weight before: "bfloat16".</param>
/// <param name="Rows">Rows of the weight.</param>
/// <param name="Columns">Its columns.</param>
/// <param name="NestedOffset">Mean of the absmax where they are quantized too; else null.</param>
internal sealed record Nf4State(int BlockSize, string StoredType, int Rows, int Columns, float? NestedOffset)
{
    /// <summary>What comes before the quant type in the tensor's name.</summary>
    public const string Prefix = ".quant_state.";

    /// <summary>What the tensor's name adds to the weight's.</summary>
    public const string Suffix = Prefix + "bitsandbytes__nf4";

    /// <summary>The most bytes that such a tensor has; of a longer one the beginning is no JSON.</summary>
    public const int MaximumBytes = 1 << 16;

    private const int NestedBlockSize = Planning.StorageLayout.NestedBlock;

    /// <summary>Reads the state of a weight.</summary>
    /// <param name="json">The tensor's bytes.</param>
    /// <param name="file">The file, for messages.</param>
    /// <param name="weight">The weight's name, for messages.</param>
    /// <exception cref="CheckpointException">It is damaged, or of another quantization than NF4 with blocks of 32 to 4096.</exception>
    public static Nf4State Parse(byte[] json, string file, string weight)
    {
        JsonValue root = JsonText.Parse(json, $"{file}, tensor '{weight}{Suffix}'", Damaged).RequireObject();
        JsonValue type = root.Required("quant_type");
        if (type.AsText() != "nf4")
        {
            throw type.Error($"is '{type}', only nf4 can be loaded; take the unquantized checkpoint");
        }

        int blockSize = root.Required("blocksize").AsInteger();
        if (blockSize is < 32 or > 4096 || !int.IsPow2(blockSize))
        {
            throw root.Wrong("blocksize", "a power of two from 32 to 4096");
        }

        int[] shape = [.. root.Required("shape").Items().Select(d => d.AsInteger())];
        if (shape.Length != 2 || shape.Any(d => d < 1))
        {
            throw root.Wrong("shape", "the two dimensions of a weight");
        }

        float? offset = null;
        if (root.Value("nested_blocksize") is { } nested)
        {
            if (nested.AsInteger() != NestedBlockSize)
            {
                throw nested.Error($"is {nested}, only {NestedBlockSize} can be loaded; take the unquantized checkpoint");
            }

            offset = (float)root.Required("nested_offset", "a number").AsNumber();
            if (!float.IsFinite(offset.Value))
            {
                throw root.Wrong("nested_offset", "a number that float32 holds");
            }
        }

        return new Nf4State(blockSize, root.Required("dtype").AsText(), shape[0], shape[1], offset);
    }

    private static CheckpointException Damaged(string source, string problem, Exception? inner) =>
        new(source, $"{problem}; the file is damaged or truncated", inner);

    /// <summary>The tensor's bytes.</summary>
    public byte[] ToJson()
    {
        string text = FormattableString.Invariant($$"""{"quant_type": "nf4", "blocksize": {{BlockSize}}, "dtype": "{{StoredType}}", "shape": [{{Rows}}, {{Columns}}]""");
        if (NestedOffset is { } offset)
        {
            text += FormattableString.Invariant($$""", "nested_blocksize": {{NestedBlockSize}}, "nested_dtype": "float32", "nested_offset": {{PythonNumber(offset)}}""");
        }

        return Encoding.UTF8.GetBytes(text + "}");
    }

    /// <summary>The shortest text that reads back as the same double, in Python's spelling: 1.0, 5e-05.</summary>
    private static string PythonNumber(double value)
    {
        string text = value.ToString("R", CultureInfo.InvariantCulture).Replace('E', 'e');
        return text.Contains('.') || text.Contains('e') ? text : text + ".0";
    }
}
