using System.Text.Json;
using ModelCompiler.Files;
using ModelCompiler.Reading;
using ModelCompiler.Safetensors;

namespace ModelCompiler.HuggingFace.Config;

/// <summary>
/// What a Hugging Face config.json says about an architecture. GPT-2's older names (n_embd, n_layer, n_head, n_positions, n_inner,
/// layer_norm_epsilon, activation_function) are read as the current ones.
/// </summary>
public sealed record HuggingFaceConfig
{
    /// <summary>Name of the file in a folder.</summary>
    public const string FileName = "config.json";

    /// <summary>model_type: llama, mistral, gpt2, qwen2, ...</summary>
    public required string ModelType { get; init; }

    /// <summary>architectures: names of the model's classes.</summary>
    public IReadOnlyList<string> Architectures { get; init; } = [];

    /// <summary>hidden_size: width of the residual stream.</summary>
    public required int HiddenSize { get; init; }

    /// <summary>intermediate_size: width inside the feed-forward; 4 · hidden_size where absent.</summary>
    public required int IntermediateSize { get; init; }

    /// <summary>num_hidden_layers.</summary>
    public required int Layers { get; init; }

    /// <summary>num_attention_heads.</summary>
    public required int Heads { get; init; }

    /// <summary>num_key_value_heads; as many as heads where absent.</summary>
    public required int KeyValueHeads { get; init; }

    /// <summary>head_dim; hidden_size / heads where absent.</summary>
    public required int HeadWidth { get; init; }

    /// <summary>vocab_size.</summary>
    public required int VocabularySize { get; init; }

    /// <summary>max_position_embeddings: the longest context.</summary>
    public required int Context { get; init; }

    /// <summary>rms_norm_eps, if the file gives one.</summary>
    public double? RmsNormEpsilon { get; init; }

    /// <summary>layer_norm_eps, layer_norm_epsilon or norm_epsilon, if the file gives one.</summary>
    public double? LayerNormEpsilon { get; init; }

    /// <summary>rope_theta, if the file gives one.</summary>
    public double? RopeTheta { get; init; }

    /// <summary>The kind of rope_scaling (llama3, linear, yarn, ...), null where positions are not scaled.</summary>
    public string? RopeScaling { get; init; }

    /// <summary>partial_rotary_factor: the part of each head that rotates; 1 where absent.</summary>
    public double PartialRotaryFactor { get; init; } = 1;

    /// <summary>sliding_window, null where attention sees everything.</summary>
    public int? SlidingWindow { get; init; }

    /// <summary>hidden_act: silu, gelu_new, gelu_pytorch_tanh, ...</summary>
    public string? Activation { get; init; }

    /// <summary>Whether the head is the token embedding; where absent, true for gpt2 and gemma and false for others, as in Transformers.</summary>
    public bool TieWordEmbeddings { get; init; }

    /// <summary>attention_bias.</summary>
    public bool AttentionBias { get; init; }

    /// <summary>mlp_bias.</summary>
    public bool MlpBias { get; init; }

    /// <summary>bos_token_id.</summary>
    public int? BeginOfText { get; init; }

    /// <summary>eos_token_id; of several the first.</summary>
    public int? EndOfText { get; init; }

    /// <summary>torch_dtype or dtype: the type of the stored weights.</summary>
    public string? StoredType { get; init; }

    /// <summary>Reads config.json.</summary>
    /// <param name="fileOrFolder">The file, or the folder it is in.</param>
    /// <exception cref="CheckpointException">The file cannot be read, or a key is missing or of another type; both are named.</exception>
    public static HuggingFaceConfig Load(string fileOrFolder)
    {
        JsonValue file = UserFile.ReadObject(Directory.Exists(fileOrFolder) ? Path.Combine(fileOrFolder, FileName) : fileOrFolder, CheckpointException.In);
        string modelType = file.Text("model_type") ?? throw file.Wrong("model_type", "text");
        int hidden = Positive(file, "hidden_size", "n_embd");
        int heads = Positive(file, "num_attention_heads", "n_head");
        if (!HasAny(file, "head_dim") && hidden % heads != 0)
        {
            throw new CheckpointException(file.Source, $"key 'num_attention_heads': {heads} heads do not divide hidden_size {hidden}, and there is no head_dim");
        }

        return new HuggingFaceConfig
        {
            ModelType = modelType,
            Architectures = ReadArchitectures(file),
            HiddenSize = hidden,
            IntermediateSize = HasAny(file, "intermediate_size", "n_inner") ? Positive(file, "intermediate_size", "n_inner") : 4 * hidden,
            Layers = Positive(file, "num_hidden_layers", "n_layer"),
            Heads = heads,
            KeyValueHeads = HasAny(file, "num_key_value_heads") ? Positive(file, "num_key_value_heads") : heads,
            HeadWidth = HasAny(file, "head_dim") ? Positive(file, "head_dim") : hidden / heads,
            VocabularySize = Positive(file, "vocab_size"),
            Context = Positive(file, "max_position_embeddings", "n_positions"),
            RmsNormEpsilon = file.Number("rms_norm_eps"),
            LayerNormEpsilon = file.Number("layer_norm_eps") ?? file.Number("layer_norm_epsilon") ?? file.Number("norm_epsilon"),
            RopeTheta = ReadRopeTheta(file),
            RopeScaling = ReadRopeScaling(file),
            PartialRotaryFactor = file.Number("partial_rotary_factor") ?? 1,
            SlidingWindow = file.Flag("use_sliding_window") == false ? null : file.Integer("sliding_window"),
            Activation = file.Text("hidden_act") ?? file.Text("hidden_activation") ?? file.Text("activation_function"),
            TieWordEmbeddings = file.Flag("tie_word_embeddings") ?? modelType is "gpt2" or "gemma" or "gemma2",
            AttentionBias = file.Flag("attention_bias") ?? false,
            MlpBias = file.Flag("mlp_bias") ?? false,
            BeginOfText = TokenId(file, "bos_token_id"),
            EndOfText = TokenId(file, "eos_token_id"),
            StoredType = file.Text("torch_dtype") ?? file.Text("dtype"),
        };
    }

    /// <summary>Writes config.json into a folder, with the current names.</summary>
    /// <exception cref="OutputException">The file cannot be written.</exception>
    /// <exception cref="InvalidOperationException">Positions are scaled: the parameters of that are not kept here.</exception>
    public void Save(string folder)
    {
        if (RopeScaling is not null)
        {
            throw new InvalidOperationException($"rope_scaling '{RopeScaling}' cannot be written; copy the original {FileName}");
        }

        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true }))
        {
            json.WriteStartObject();
            json.WriteStartArray("architectures");
            foreach (string architecture in Architectures)
            {
                json.WriteStringValue(architecture);
            }

            json.WriteEndArray();
            json.WriteString("model_type", ModelType);
            json.WriteNumber("hidden_size", HiddenSize);
            json.WriteNumber("intermediate_size", IntermediateSize);
            json.WriteNumber("num_hidden_layers", Layers);
            json.WriteNumber("num_attention_heads", Heads);
            json.WriteNumber("num_key_value_heads", KeyValueHeads);
            json.WriteNumber("head_dim", HeadWidth);
            json.WriteNumber("vocab_size", VocabularySize);
            json.WriteNumber("max_position_embeddings", Context);
            WriteOptional(json, "rms_norm_eps", RmsNormEpsilon);
            WriteOptional(json, "layer_norm_eps", LayerNormEpsilon);
            WriteOptional(json, "rope_theta", RopeTheta);
            WriteOptional(json, "partial_rotary_factor", PartialRotaryFactor == 1 ? null : PartialRotaryFactor);
            WriteOptional(json, "sliding_window", SlidingWindow);
            WriteOptional(json, "hidden_act", Activation);
            json.WriteBoolean("tie_word_embeddings", TieWordEmbeddings);
            json.WriteBoolean("attention_bias", AttentionBias);
            json.WriteBoolean("mlp_bias", MlpBias);
            WriteOptional(json, "bos_token_id", BeginOfText);
            WriteOptional(json, "eos_token_id", EndOfText);
            WriteOptional(json, "torch_dtype", StoredType);
            json.WriteEndObject();
        }

        AtomicFile.WriteBytes(Path.Combine(folder, FileName), buffer.ToArray());
    }

    private static bool HasAny(JsonValue file, params ReadOnlySpan<string> names)
    {
        foreach (string name in names)
        {
            if (file.Value(name) is not null)
            {
                return true;
            }
        }

        return false;
    }

    private static int Positive(JsonValue file, string name, string? olderName = null)
    {
        string key = olderName is not null && !HasAny(file, name) && HasAny(file, olderName) ? olderName : name;
        return file.Integer(key) is { } value and > 0 ? value : throw file.Wrong(key, "a whole number from 1");
    }

    private static string[] ReadArchitectures(JsonValue file) =>
        file.Value("architectures") is { } list ? [.. list.RequireList("a list of texts").Items().Select(e => e.AsText())] : [];

    /// <summary>Newer files keep everything about rotation in one object.</summary>
    private static double? ReadRopeTheta(JsonValue file) => file.Number("rope_theta") ?? file.Value("rope_parameters")?.Number("rope_theta");

    private static string? ReadRopeScaling(JsonValue file)
    {
        if ((file.Value("rope_scaling") ?? file.Value("rope_parameters")) is not { IsObject: true } scaling)
        {
            return null;
        }

        string? name = (scaling.Value("rope_type") ?? scaling.Value("type")) is { IsText: true } type ? type.AsText() : null;
        return name == "default" ? null : name ?? "unnamed";
    }

    private static int? TokenId(JsonValue file, string key) =>
        file.Value(key) is { IsList: true, Count: > 0 } several ? several.Items().First().AsInteger() : file.Integer(key);

    private static void WriteOptional(Utf8JsonWriter json, string key, double? value)
    {
        if (value is { } number)
        {
            json.WriteNumber(key, number);
        }
    }

    private static void WriteOptional(Utf8JsonWriter json, string key, int? value)
    {
        if (value is { } number)
        {
            json.WriteNumber(key, number);
        }
    }

    private static void WriteOptional(Utf8JsonWriter json, string key, string? value)
    {
        if (value is not null)
        {
            json.WriteString(key, value);
        }
    }
}
