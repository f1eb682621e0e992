using System.Text.Json;
using ModelCompiler.Files;
using ModelCompiler.Reading;
using ModelCompiler.Safetensors;

namespace ModelCompiler.HuggingFace.Peft;

/// <summary>Reads and writes adapter_config.json. What would change results and is not supported is refused, never ignored.</summary>
internal static class PeftConfigJson
{
    /// <summary>What these start values change is the base model, so the adapter alone is not the result.</summary>
    private static readonly string[] s_baseChangingStarts = ["pissa", "olora", "loftq", "corda", "lora_ga"];

    private static readonly string[] s_mustBeFalse = ["lora_bias", "use_qalora", "use_bdlora"];

    private static readonly string[] s_mustBeEmpty =
        ["modules_to_save", "layer_replication", "alora_invocation_tokens", "trainable_token_indices", "target_parameters", "megatron_config"];

    /// <exception cref="CheckpointException">The file cannot be read, is no LoRA's, or asks for something unsupported.</exception>
    public static PeftConfig Read(string path)
    {
        JsonValue file = UserFile.ReadObject(path, CheckpointException.In);
        if (file.Text("peft_type") is not "LORA")
        {
            throw file.Wrong("peft_type", "\"LORA\"");
        }

        RefuseUnsupported(file);
        var config = new PeftConfig
        {
            R = file.Integer("r") ?? 8,
            Alpha = file.Number("lora_alpha") ?? 8,
            Dropout = file.Number("lora_dropout") ?? 0,
            TargetModules = ReadTargets(file),
            UseRslora = file.Flag("use_rslora") ?? false,
            UseDora = file.Flag("use_dora") ?? false,
            FanInFanOut = file.Flag("fan_in_fan_out") ?? false,
            RankPattern = ReadPattern(file, "rank_pattern", value => value.AsInteger() is > 0 and int rank ? rank : throw value.Wrong("a whole number from 1")),
            AlphaPattern = ReadPattern(file, "alpha_pattern", value => value.AsNumber()),
            BaseModel = file.Text("base_model_name_or_path"),
        };
        if (config.R <= 0)
        {
            throw file.Wrong("r", "a whole number from 1");
        }

        return config.Dropout is >= 0 and < 1 ? config : throw file.Wrong("lora_dropout", "a number in [0, 1)");
    }

    /// <summary>Writes the keys that PEFT 0.6 has, and newer ones only where they say something: up to 0.13 PEFT refuses a file with a key that it does not know.</summary>
    /// <exception cref="OutputException">The file cannot be written.</exception>
    public static void Write(string path, PeftConfig config)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true }))
        {
            json.WriteStartObject();
            WriteNumbers(json, "alpha_pattern", config.AlphaPattern);
            json.WriteNull("auto_mapping");
            json.WriteString("base_model_name_or_path", config.BaseModel);
            json.WriteString("bias", "none");
            json.WriteBoolean("fan_in_fan_out", config.FanInFanOut);
            json.WriteBoolean("inference_mode", true);
            json.WriteBoolean("init_lora_weights", true);
            json.WriteNull("layers_pattern");
            json.WriteNull("layers_to_transform");
            json.WriteNumber("lora_alpha", config.Alpha);
            json.WriteNumber("lora_dropout", config.Dropout);
            json.WriteNull("modules_to_save");
            json.WriteString("peft_type", "LORA");
            json.WriteNumber("r", config.R);
            WriteNumbers(json, "rank_pattern", config.RankPattern.Select(p => KeyValuePair.Create(p.Key, (double)p.Value)));
            json.WriteNull("revision");
            json.WriteStartArray("target_modules");
            foreach (string target in config.TargetModules)
            {
                json.WriteStringValue(target);
            }

            json.WriteEndArray();
            json.WriteString("task_type", "CAUSAL_LM");
            WriteIfTrue(json, "use_dora", config.UseDora);
            WriteIfTrue(json, "use_rslora", config.UseRslora);
            json.WriteEndObject();
        }

        AtomicFile.WriteBytes(path, buffer.ToArray());
    }

    private static void RefuseUnsupported(JsonValue file)
    {
        foreach (string key in s_mustBeFalse)
        {
            if (file.Flag(key) == true)
            {
                throw new CheckpointException(file.Source, $"key '{key}' is true, which is not supported; export a plain LoRA adapter");
            }
        }

        foreach (string key in s_mustBeEmpty)
        {
            if (file.Value(key) is { } value && !(value is { IsList: true, Count: 0 } || (value.IsObject && !value.Keys.Any())))
            {
                throw new CheckpointException(file.Source, $"key '{key}' is set, which is not supported; export a plain LoRA adapter");
            }
        }

        if (file.Text("bias") is not (null or "none"))
        {
            throw file.Wrong("bias", "\"none\"");
        }

        if (file.Value("init_lora_weights") is { IsText: true } start
            && s_baseChangingStarts.FirstOrDefault(s => start.AsText().StartsWith(s, StringComparison.OrdinalIgnoreCase)) is { } name)
        {
            throw new CheckpointException(file.Source, $"key 'init_lora_weights' is {name}: the adapter belongs to a changed base model; convert it to plain LoRA (PEFT's path_initial_model_for_weight_conversion)");
        }
    }

    private static string[] ReadTargets(JsonValue file)
    {
        JsonValue targets = file.Required("target_modules", "a list of texts or one text");
        return targets.IsText
            ? [targets.AsText()]
            : [.. targets.RequireList("a list of texts or one text").Items().Select(e => e.AsText()).Order(StringComparer.Ordinal)];
    }

    private static KeyValuePair<string, T>[] ReadPattern<T>(JsonValue file, string key, Func<JsonValue, T> read)
    {
        if (file.Value(key)?.RequireObject("an object of pattern to number") is not { } value)
        {
            return [];
        }

        try
        {
            KeyValuePair<string, T>[] pattern = [.. value.Members().Select(p => KeyValuePair.Create(p.Key, read(p.Value)))];
            foreach ((string expression, _) in pattern)
            {
                PeftConfig.Matches(expression, "");
            }

            return pattern;
        }
        catch (Exception error) when (error is ArgumentException or NotSupportedException)
        {
            throw value.Error($"has a pattern that is not a regular expression: {error.Message}", error);
        }
    }

    private static void WriteIfTrue(Utf8JsonWriter json, string key, bool value)
    {
        if (value)
        {
            json.WriteBoolean(key, value);
        }
    }

    private static void WriteNumbers(Utf8JsonWriter json, string key, IEnumerable<KeyValuePair<string, double>> values)
    {
        json.WriteStartObject(key);
        foreach ((string pattern, double value) in values)
        {
            json.WriteNumber(pattern, value);
        }

        json.WriteEndObject();
    }
}
