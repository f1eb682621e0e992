using System.Text.Json;
using System.Text.Json.Nodes;
using ModelCompiler.Backends.Cpu;
using ModelCompiler.HuggingFace.Config;
using ModelCompiler.HuggingFace.Weights;
using ModelCompiler.Models;
using ModelCompiler.Planning;
using ModelCompiler.Safetensors;
using ModelCompiler.Tests.Files;
using ModelCompiler.Tests.Models;

namespace ModelCompiler.Tests.Checkpoints;

public class BaseWeightsTests
{
    [Theory]
    [InlineData(SafetensorsType.F32, 0)]
    [InlineData(SafetensorsType.BF16, 1.0 / 256)]
    public void A_round_trip_keeps_every_weight_as_far_as_its_type(SafetensorsType type, double relative)
    {
        using var folder = new TemporaryFolder();
        using ClosedFormCombined saved = Create<ClosedFormCombined>(seed: 1);
        using ClosedFormCombined loaded = Create<ClosedFormCombined>(seed: 2);

        BaseWeights.Save(saved, folder.Path, type);
        BaseWeights.Load(loaded, folder.Path);

        foreach ((Parameter expected, Parameter actual) in saved.Parameters.Zip(loaded.Parameters))
        {
            Assert.All(saved.Values(expected.Value).Zip(loaded.Values(actual.Value)), pair => Assert.True(Math.Abs(pair.First - pair.Second) <= relative * Math.Abs(pair.First)));
        }
    }

    [Fact]
    public void What_is_saved_of_a_llama_is_a_llama_to_others()
    {
        using var folder = new TemporaryFolder();
        using Stories260K model = Create<Stories260K>(seed: 1);

        BaseWeights.Save(model, folder.Path, SafetensorsType.BF16);

        JsonElement config = JsonDocument.Parse(File.ReadAllText(folder.File("config.json"))).RootElement;
        Assert.Equal("llama", config.GetProperty("model_type").GetString());
        Assert.Equal("LlamaForCausalLM", Assert.Single(config.GetProperty("architectures").EnumerateArray()).GetString());
        string[] sizes = ["hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads", "num_key_value_heads", "vocab_size", "max_position_embeddings"];
        Assert.Equal([64, 172, 5, 8, 4, 512, 512], sizes.Select(key => config.GetProperty(key).GetInt32()));
        Assert.True(config.GetProperty("tie_word_embeddings").GetBoolean());
        Assert.Equal(("silu", "bfloat16"), (config.GetProperty("hidden_act").GetString(), config.GetProperty("torch_dtype").GetString()));
        Assert.Equal(1e-5, config.GetProperty("rms_norm_eps").GetDouble(), 1e-12);
    }

    [Fact]
    public void What_is_saved_of_others_has_their_class()
    {
        Assert.Equal(("qwen2", "Qwen2ForCausalLM"), Family<ClosedFormAttentionBias>());
        Assert.Equal(("qwen3", "Qwen3ForCausalLM"), Family<ClosedFormQueryKeyNorm>());
        Assert.Equal(("llama", "LlamaForCausalLM"), Family<ClosedFormScaledRotary>());
        Assert.Equal((nameof(ClosedFormCombined), nameof(ClosedFormCombined)), Family<ClosedFormCombined>());
        Assert.Equal((nameof(ClosedFormGegluScaledEmbedding), nameof(ClosedFormGegluScaledEmbedding)), Family<ClosedFormGegluScaledEmbedding>());
    }

    [Theory]
    [InlineData("hidden_size", "128", "64")]
    [InlineData("num_key_value_heads", "8", "4")]
    [InlineData("rms_norm_eps", "1e-6", "1E-05")]
    [InlineData("rope_theta", "500000", "10000")]
    [InlineData("tie_word_embeddings", "false", "true")]
    [InlineData("hidden_act", "\"gelu\"", "\"silu\"")]
    public void A_configuration_that_says_otherwise_is_refused_with_both_values(string key, string given, string described)
    {
        string message = Refused(config => config[key] = JsonNode.Parse(given));

        Assert.Contains("config.json", message);
        Assert.Contains($"'{key}' is {given}", message);
        Assert.Contains($"described with {described}", message);
    }

    [Fact]
    public void Absent_keys_mean_their_defaults()
    {
        Assert.Contains("'num_key_value_heads' is absent, which means 8", Refused(config => config.Remove("num_key_value_heads")));
        Assert.Contains("'hidden_size' is missing", Refused(config => config.Remove("hidden_size")));
        Accepted(config => config.Remove("rope_theta"));
        Accepted(config => config["rope_theta"] = JsonNode.Parse("1e4"));
        Accepted(config =>
        {
            config.Remove("rope_theta");
            config["rope_parameters"] = JsonNode.Parse("""{"rope_type": "default", "rope_theta": 10000.0}""");
        });
    }

    [Fact]
    public void What_the_description_cannot_say_is_refused()
    {
        Assert.Contains("llama3", Refused(config => config["rope_scaling"] = JsonNode.Parse("""{"rope_type": "llama3", "factor": 32.0}""")));
        Assert.Contains("partial_rotary_factor' is 0.5", Refused(config => config["partial_rotary_factor"] = 0.5));
        Assert.Contains("'partial_rotary_factor' is absent, which means 1, but ClosedFormPartialRotary is described with 0.5", Refused<ClosedFormPartialRotary>(config => config.Remove("partial_rotary_factor")));
        Accepted<ClosedFormPartialRotary>(_ => { });
        Assert.Contains("'model_type' is 'gemma2', whose norms multiply by 1 + w", Refused(config => config["model_type"] = "gemma2"));
        Assert.Contains("sliding_window' is 256", Refused(config => config["sliding_window"] = 256));
        Accepted(config => config["sliding_window"] = 4096);
    }

    [Fact]
    public void Scaled_positions_are_written_and_must_be_the_described_ones()
    {
        Accepted<ClosedFormScaledRotary>(_ => { });
        Accepted<ClosedFormScaledRotary>(config =>
        {
            JsonNode scaling = config["rope_scaling"]!.DeepClone();
            scaling["rope_theta"] = 10_000;
            config.Remove("rope_scaling");
            config.Remove("rope_theta");
            config["rope_parameters"] = scaling;
        });
        Assert.Contains("'factor' of key 'rope_scaling' is 4, but ClosedFormScaledRotary is described with 8", Refused<ClosedFormScaledRotary>(config => config["rope_scaling"]!["factor"] = 4));
        Assert.Contains("'low_freq_factor' of key 'rope_scaling' is absent", Refused<ClosedFormScaledRotary>(config => config["rope_scaling"]!.AsObject().Remove("low_freq_factor")));
        Assert.Contains("'rope_type' of key 'rope_scaling' is \"default\", but ClosedFormScaledRotary is described with \"llama3\"", Refused<ClosedFormScaledRotary>(config => config.Remove("rope_scaling")));
        Assert.Contains("is \"yarn\"", Refused<ClosedFormScaledRotary>(config => config["rope_scaling"]!["rope_type"] = "yarn"));
    }

    [Fact]
    public void Missing_and_misshapen_tensors_are_all_named_at_once()
    {
        string message = RefusedFile(tensors =>
        {
            tensors.Remove("model.norm.weight");
            tensors["model.layers.3.mlp.up_proj.weight"] = [64, 172];
        });

        Assert.Contains("'model.norm.weight' is missing", message);
        Assert.Contains("'model.layers.3.mlp.up_proj.weight' is [64, 172], the description needs [172, 64]", message);
    }

    [Fact]
    public void Tensors_that_contradict_the_description_are_refused_and_others_ignored()
    {
        Assert.Contains("q_proj.bias' is in the file", RefusedFile(t => t["model.layers.0.self_attn.q_proj.bias"] = [64]));
        Assert.Contains("layers.5.mlp.up_proj.weight' is in the file", RefusedFile(t => t["model.layers.5.mlp.up_proj.weight"] = [172, 64]));
        Assert.Contains("'lm_head.weight' is not 'model.embed_tokens.weight'", RefusedFile(t => t["lm_head.weight"] = [512, 64]));
        using var folder = new TemporaryFolder();
        using Stories260K model = Create<Stories260K>(seed: 1);
        Write(model, folder.File("m.safetensors"), t => t["model.layers.0.self_attn.rotary_emb.inv_freq"] = [4]);
        BaseWeights.Load(model, folder.File("m.safetensors"));
    }

    [Fact]
    public void A_weight_that_is_not_a_number_is_refused()
    {
        using var folder = new TemporaryFolder();
        using Stories260K model = Create<Stories260K>(seed: 1);
        model.Backend.Write(model.FinalNorm.Weight.Value.Slice(0, 1) with { Columns = 1 }, [float.NaN]);
        BaseWeights.Save(model, folder.Path);

        Assert.Contains("model.norm.weight", Assert.Throws<CheckpointException>(() => BaseWeights.Load(model, folder.Path)).Message);
    }

    private static (string Type, string Class) Family<T>()
        where T : TransformerModel, IModel<T>
    {
        using var folder = new TemporaryFolder();
        using T model = Create<T>(seed: 1);
        BaseWeights.Save(model, folder.Path);
        JsonNode config = JsonNode.Parse(File.ReadAllText(folder.File("config.json")))!;
        return (config["model_type"]!.ToString(), config["architectures"]![0]!.ToString());
    }

    private static string Refused(Action<JsonObject> change) => Refused<Stories260K>(change);

    private static string Refused<T>(Action<JsonObject> change)
        where T : TransformerModel, IModel<T> => Assert.Throws<CheckpointException>(() => Accepted<T>(change)).Message;

    private static void Accepted(Action<JsonObject> change) => Accepted<Stories260K>(change);

    private static void Accepted<T>(Action<JsonObject> change)
        where T : TransformerModel, IModel<T>
    {
        using var folder = new TemporaryFolder();
        using T model = Create<T>(seed: 1);
        BaseWeights.Save(model, folder.Path);
        string path = folder.File("config.json");
        JsonObject config = JsonNode.Parse(File.ReadAllText(path))!.AsObject();
        change(config);
        File.WriteAllText(path, config.ToJsonString(new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }));
        BaseWeights.Load(model, folder.Path);
    }

    private static string RefusedFile(Action<Dictionary<string, long[]>> change)
    {
        using var folder = new TemporaryFolder();
        using Stories260K model = Create<Stories260K>(seed: 1);
        Write(model, folder.File("m.safetensors"), change);
        return Assert.Throws<CheckpointException>(() => BaseWeights.Load(model, folder.File("m.safetensors"))).Message;
    }

    /// <summary>Writes a file with the model's names and shapes, changed, and values that count up.</summary>
    private static void Write(TransformerModel model, string path, Action<Dictionary<string, long[]>> change)
    {
        Dictionary<string, long[]> shapes = model.Parameters.ToDictionary(model.NameOf, p => p.Info.Vector ? [p.Value.Columns] : new long[] { p.Value.Rows, p.Value.Columns });
        change(shapes);
        SafetensorsWriter.Write(path, shapes.Select(s =>
            new TensorSource(s.Key, SafetensorsType.F32, s.Value, (first, values) => values.Fill(s.Key == "lm_head.weight" ? 2 : 1))));
    }

    private static T Create<T>(ulong seed)
        where T : TransformerModel, IModel<T>
    {
        T model = Model.ForTraining<T>(new TrainingPlan { Sequence = 8 }, new CpuBackend(1));
        Initialization.All(model, seed);
        return model;
    }
}
