using System.Globalization;
using System.Text.Json;
using ModelCompiler.Estimators;
using ModelCompiler.Files;
using ModelCompiler.Planning;
using ModelCompiler.Reading;

namespace ModelCompiler.Checkpoints;

/// <summary>Compares a checkpoint's config.json with a description, and writes one for it.</summary>
internal static class ModelConfiguration
{
    /// <summary>Name of the file in a folder.</summary>
    public const string FileName = "config.json";

    private const double Tolerance = 1e-6;
    private const string ScalingKey = "rope_scaling";
    private const string PartKey = "partial_rotary_factor";

    /// <summary>What a layer of Transformers' models has besides Llama's parameters, with their classes and types.</summary>
    private static readonly (string[] More, string Class, string Type)[] s_families =
    [
        ([], "LlamaForCausalLM", "llama"),
        (["self_attn.q_proj.bias", "self_attn.k_proj.bias", "self_attn.v_proj.bias"], "Qwen2ForCausalLM", "qwen2"),
        (["self_attn.q_norm.weight", "self_attn.k_norm.weight"], "Qwen3ForCausalLM", "qwen3"),
    ];

    /// <summary>Checks every key the description implies.</summary>
    /// <exception cref="CheckpointException">The file cannot be read, or a key says something else; key and both values are named.</exception>
    public static void Check(string path, ModelTables tables)
    {
        if (Difference(path, tables) is { } difference)
        {
            throw new CheckpointException(path, difference);
        }
    }

    /// <summary>The first thing that the file says otherwise than the description; null where they agree.</summary>
    /// <exception cref="CheckpointException">The file cannot be read.</exception>
    public static string? Difference(string path, ModelTables tables)
    {
        JsonValue file = UserFile.ReadObject(path, CheckpointException.In);
        foreach (ConfigurationRow row in tables.Configuration.Where(c => c.Key != ScalingKey))
        {
            string? actual = Value(file, row.Key) is { } value ? value.RawText : row.Default;
            if (actual is null)
            {
                return $"key '{row.Key}' is missing; {tables.Architecture} needs {row.Value}";
            }

            if (!Same(actual, row.Value))
            {
                string given = Value(file, row.Key) is null ? $"is absent, which means {actual}" : $"is {actual}";
                return $"key '{row.Key}' {given}, but {tables.Architecture} is described with {row.Value}; correct the description or take another checkpoint";
            }
        }

        return ScaledPositions(file, tables) ?? PartialRotation(file, tables) ?? ShortWindow(file, tables) ?? OtherNorms(file, tables);
    }

    /// <summary>Writes what the description implies, so that <see cref="Check"/> accepts it.</summary>
    /// <param name="path">The file.</param>
    /// <param name="tables">The description.</param>
    /// <param name="storedType">Transformers' name of the weights' type.</param>
    /// <param name="more">Writes further keys.</param>
    /// <exception cref="OutputException">The file cannot be written.</exception>
    public static void Write(string path, ModelTables tables, string storedType, Action<Utf8JsonWriter>? more = null)
    {
        (string classOf, string type) = Family(tables);
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true }))
        {
            json.WriteStartObject();
            json.WriteStartArray("architectures");
            json.WriteStringValue(classOf);
            json.WriteEndArray();
            json.WriteString("model_type", type);
            foreach (ConfigurationRow row in tables.Configuration)
            {
                json.WritePropertyName(row.Key);
                json.WriteRawValue(row.Value);
            }

            json.WriteNumber("max_position_embeddings", tables.Context);
            json.WriteString("torch_dtype", storedType);
            more?.Invoke(json);
            json.WriteEndObject();
        }

        AtomicFile.WriteBytes(path, buffer.ToArray());
    }

    /// <summary>Newer files keep everything about rotation in one object; Gemma says the true activation beside a historic hidden_act.</summary>
    private static JsonValue? Value(JsonValue file, string key) =>
        (key == "hidden_act" ? file.Value("hidden_activation") : null)
        ?? file.Value(key)
        ?? file.Value("rope_parameters")?.Value(key);

    private static bool Same(string actual, string expected)
    {
        if (double.TryParse(actual, NumberStyles.Float, CultureInfo.InvariantCulture, out double a)
            && double.TryParse(expected, NumberStyles.Float, CultureInfo.InvariantCulture, out double b))
        {
            // A description's numbers are floats.
            return Math.Abs(a - b) <= Tolerance * Math.Abs(b);
        }

        return Canonical(actual) == Canonical(expected);
    }

    /// <summary>Transformers has several names for one activation.</summary>
    private static string Canonical(string text) => text switch
    {
        "\"swish\"" => "\"silu\"",
        "\"gelu_new\"" or "\"gelu_fast\"" => "\"gelu_pytorch_tanh\"",
        _ => text,
    };

    /// <summary>The kind of scaling has to be the same, and so has everything that the description says of it.</summary>
    private static string? ScaledPositions(JsonValue file, ModelTables tables)
    {
        string? described = tables.Configuration.FirstOrDefault(c => c.Key == ScalingKey)?.Value;
        JsonValue? scaling = file.Value(ScalingKey) ?? file.Value("rope_parameters");
        string kind = (scaling?.Value("rope_type") ?? scaling?.Value("type"))?.ToString() ?? "default";
        if (described is null)
        {
            return kind == "default" ? null : $"key 'rope_scaling' is '{kind}', but {tables.Architecture} is described without scaling: give [Rotary] its Scaling; results would silently differ";
        }

        using JsonDocument expected = JsonDocument.Parse(described);
        foreach (JsonProperty property in expected.RootElement.EnumerateObject())
        {
            string? actual = property.NameEquals("rope_type") ? $"\"{kind}\"" : scaling?.Value(property.Name)?.RawText;
            if (actual is null || !Same(actual, property.Value.GetRawText()))
            {
                return $"'{property.Name}' of key 'rope_scaling' is {actual ?? "absent"}, but {tables.Architecture} is described with {property.Value.GetRawText()}; correct the description or take another checkpoint";
            }
        }

        return null;
    }

    /// <summary>A description whose whole heads rotate has no row for it.</summary>
    private static string? PartialRotation(JsonValue file, ModelTables tables) =>
        tables.Configuration.Any(c => c.Key == "rope_theta") && tables.Configuration.All(c => c.Key != PartKey) && file.Number(PartKey) is { } part && part != 1
            ? FormattableString.Invariant($"key '{PartKey}' is {part}, but {tables.Architecture} rotates whole heads; give [Rotary] its Width")
            : null;

    private static string? OtherNorms(JsonValue file, ModelTables tables) =>
        file.Text("model_type") is { } type && type.StartsWith("gemma", StringComparison.Ordinal) && tables.Configuration.Any(c => c.Key == "rms_norm_eps")
            ? $"key 'model_type' is '{type}', whose norms multiply by 1 + w; {tables.Architecture}'s multiply by w, and the other cannot be described yet"
            : null;

    private static string? ShortWindow(JsonValue file, ModelTables tables) =>
        file.Flag("use_sliding_window") != false && file.Integer("sliding_window") is { } window && window < tables.Context
            ? $"key 'sliding_window' is {window}, but {tables.Architecture} attends over its whole context of {tables.Context}; describe it with Context = {window}"
            : null;

    /// <summary>
    /// The model of Transformers that computes the same, its class and its type: with RmsNorm, rotary and SwiGLU a Llama, Qwen 2 with biases of queries, keys and values, and
    /// Qwen 3 with their norms; else the description's own name.
    /// </summary>
    private static (string Class, string Type) Family(ModelTables tables)
    {
        bool alike = tables.Configuration.Any(c => c.Key == "rope_theta")
            && tables.Configuration.Any(c => c is { Key: "hidden_act", Value: "\"silu\"" })
            && tables.Configuration.Any(c => c.Key == "rms_norm_eps");
        HashSet<string> more = [.. tables.Parameters.Where(p => p.Slot < 0).Select(p => p.Name).Except(LlamaShape.ParameterNames)];
        return s_families.Where(f => alike && more.SetEquals(f.More.Select(name => LlamaShape.Layer + name)))
            .Select(f => (f.Class, f.Type))
            .DefaultIfEmpty((tables.Architecture, tables.Architecture))
            .Single();
    }
}
