using System.Text.Json;
using ModelCompiler.Files;
using ModelCompiler.HuggingFace.Families;
using ModelCompiler.Planning;
using ModelCompiler.Reading;
using ModelCompiler.Safetensors;

namespace ModelCompiler.HuggingFace.Config;

/// <summary>Writes config.json: of a description, or as another file says with a few keys changed.</summary>
internal static class ConfigurationFile
{
    /// <summary>Writes what the description implies, so that <see cref="ModelConfiguration.Check"/> accepts it.</summary>
    /// <param name="path">The file.</param>
    /// <param name="tables">The description.</param>
    /// <param name="family">The family it is written as.</param>
    /// <param name="storedType">Transformers' name of the weights' type.</param>
    /// <param name="quantization">The value of quantization_config; null: none.</param>
    /// <exception cref="OutputException">The file cannot be written.</exception>
    public static void Write(string path, ModelTables tables, CheckpointFamily family, string storedType, string? quantization = null)
    {
        var shape = new DescribedShape(tables);
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true }))
        {
            json.WriteStartObject();
            json.WriteStartArray("architectures");
            json.WriteStringValue(family.ModelClass);
            json.WriteEndArray();
            json.WriteString("model_type", family.ModelType);
            ConfigEntry[] keys = [.. family.Keys(shape)];
            foreach (ConfigEntry row in keys)
            {
                json.WritePropertyName(row.Key);
                json.WriteRawValue(row.Value);
            }

            foreach (ParameterOption option in family.Options.Where(o => o.Holds(shape)))
            {
                json.WriteBoolean(option.Key, true);
            }

            if (family.Defaults.ContainsKey("sliding_window"))
            {
                json.WriteNull("sliding_window");
            }

            if (keys.All(k => k.Key != "n_positions"))
            {
                json.WriteNumber("max_position_embeddings", tables.Context);
            }

            json.WriteString("torch_dtype", storedType);
            if (quantization is not null)
            {
                json.WritePropertyName("quantization_config");
                json.WriteRawValue(quantization);
            }

            json.WriteEndObject();
        }

        AtomicFile.WriteBytes(path, buffer.ToArray());
    }

    /// <summary>Writes another file's text with what the weights' form changes, and every other byte as it is.</summary>
    /// <param name="from">The other file.</param>
    /// <param name="to">The file.</param>
    /// <param name="storedType">The weights' type; null: as it was.</param>
    /// <param name="quantization">The value of quantization_config; null: none.</param>
    /// <exception cref="CheckpointException">The other file cannot be read.</exception>
    /// <exception cref="OutputException">The file cannot be written.</exception>
    public static void Copy(string from, string to, string? storedType, string? quantization)
    {
        byte[] text = UserFile.ReadBytes(from, CheckpointException.In);
        JsonValue file = JsonText.Parse(text, from, CheckpointException.In).RequireObject();
        if (storedType is not null)
        {
            foreach (string key in (ReadOnlySpan<string>)["torch_dtype", "dtype"])
            {
                text = file.Value(key) is null || file.Text(key) == storedType ? text : JsonEdit.Set(text, key, $"\"{storedType}\"");
            }
        }

        if (quantization is not null || file.Keys.Contains("quantization_config"))
        {
            text = JsonEdit.Set(text, "quantization_config", quantization);
        }

        AtomicFile.WriteBytes(to, text);
    }

    /// <summary>Transformers' name of a type.</summary>
    internal static string TypeName(SafetensorsType type) => type switch
    {
        SafetensorsType.BF16 => "bfloat16",
        SafetensorsType.F16 => "float16",
        _ => "float32",
    };
}
