using System.Text.Json.Nodes;
using ModelCompiler.HuggingFace.Config;
using ModelCompiler.HuggingFace.Families;
using ModelCompiler.Models;
using ModelCompiler.Planning;
using ModelCompiler.Tests.Files;
using ModelCompiler.Tests.Models;

namespace ModelCompiler.Tests.Checkpoints;

/// <summary>A config.json is understood or refused: a key is as described, known to change nothing, or an error that names it with its value.</summary>
public class ModelConfigurationTests
{
    private const string Llama = """
        {
          "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 64, "intermediate_size": 172, "num_hidden_layers": 5,
          "num_attention_heads": 8, "num_key_value_heads": 4, "vocab_size": 512, "max_position_embeddings": 512, "rms_norm_eps": 1e-05,
          "rope_theta": 10000.0, "hidden_act": "silu", "tie_word_embeddings": true
        }
        """;

    [Theory]
    [InlineData("embedding_multiplier", "12.0")]
    [InlineData("residual_multiplier", "0.22")]
    [InlineData("attention_multiplier", "0.0156")]
    [InlineData("logits_scaling", "16.0")]
    [InlineData("logit_scale", "0.0625")]
    [InlineData("scale_emb", "12")]
    [InlineData("scale_depth", "1.4")]
    [InlineData("dim_model_base", "256")]
    [InlineData("no_rope_layers", "[1, 1, 1, 0, 1]")]
    [InlineData("no_rope_layer_interval", "4")]
    [InlineData("attn_logit_softcapping", "50.0")]
    [InlineData("final_logit_softcapping", "30.0")]
    [InlineData("query_pre_attn_scalar", "256")]
    [InlineData("clip_qkv", "8.0")]
    [InlineData("layer_types", """["full_attention", "chunked_attention"]""")]
    [InlineData("layer_types", """["full_attention", "sliding_attention"]""")]
    [InlineData("attention_bias", "true")]
    [InlineData("mlp_bias", "true")]
    [InlineData("qkv_bias", "true")]
    [InlineData("use_qk_norm", "true")]
    [InlineData("num_local_experts", "8")]
    [InlineData("num_experts_per_tok", "2")]
    [InlineData("rotary_pct", "0.25")]
    [InlineData("rotary_dim", "4")]
    [InlineData("rope_interleaved", "true")]
    [InlineData("alibi", "true")]
    [InlineData("is_encoder_decoder", "true")]
    [InlineData("text_config", """{"hidden_size": 64}""")]
    [InlineData("auto_map", """{"AutoModelForCausalLM": "modeling_own.Own"}""")]
    [InlineData("quantization_config", """{"quant_method": "gptq", "bits": 4}""")]
    [InlineData("quantization_config", """{"quant_method": "fp8"}""")]
    [InlineData("quantization_config", """{"quant_method": "bitsandbytes", "load_in_8bit": true, "load_in_4bit": false}""")]
    [InlineData("some_key_of_tomorrow", "0.5")]
    public void A_key_that_is_not_computed_is_refused_with_its_value_unless_it_is_ignored(string key, string value)
    {
        string difference = Difference<Stories260K>(c => c[key] = JsonNode.Parse(value))!;

        Assert.Contains($"key '{key}' is {value[..Math.Min(40, value.Length)]}", difference);
        Assert.Null(Difference<Stories260K>(c => c[key] = JsonNode.Parse(value), key));
        Assert.NotNull(Difference<Stories260K>(c => c[key] = JsonNode.Parse(value), "another_key"));
        Assert.Null(Difference<Stories260K>(c => c[key] = null));
    }

    [Theory]
    [InlineData("embedding_multiplier", "1.0")]
    [InlineData("logits_scaling", "1")]
    [InlineData("attention_multiplier", "0.35355339059327373")]
    [InlineData("scale_depth", "2.23606797749979")]
    [InlineData("dim_model_base", "64")]
    [InlineData("query_pre_attn_scalar", "8")]
    [InlineData("no_rope_layers", "[1, 1, 1, 1, 1]")]
    [InlineData("layer_types", """["full_attention", "full_attention"]""")]
    [InlineData("attention_bias", "false")]
    [InlineData("mlp_bias", "false")]
    [InlineData("rotary_pct", "1.0")]
    [InlineData("partial_rotary_factor", "1.0")]
    [InlineData("rope_interleaved", "false")]
    [InlineData("rope_scaling", """{"type": "linear", "factor": 1.0}""")]
    [InlineData("rope_scaling", """{"rope_type": "default"}""")]
    [InlineData("auto_map", """{"AutoTokenizer": ["own.Tokenizer", null]}""")]
    [InlineData("quantization_config", """{"quant_method": "bitsandbytes", "load_in_4bit": true, "bnb_4bit_quant_type": "nf4"}""")]
    [InlineData("transformers_version", "\"4.51.0\"")]
    [InlineData("pretraining_tp", "2")]
    [InlineData("attention_dropout", "0.1")]
    [InlineData("use_cache", "false")]
    [InlineData("pad_token_id", "-1")]
    [InlineData("eos_token_id", "[2, 432]")]
    [InlineData("unsloth_version", "\"2025.1\"")]
    [InlineData("_attn_implementation_autoset", "true")]
    [InlineData("pruned_heads", "{}")]
    public void What_changes_nothing_is_accepted(string key, string value) =>
        Assert.Null(Difference<Stories260K>(c => c[key] = JsonNode.Parse(value)));

    [Theory]
    [InlineData("granite")]
    [InlineData("smollm3")]
    [InlineData("minicpm")]
    [InlineData("cohere")]
    [InlineData("olmo2")]
    [InlineData("qwen2")]
    [InlineData("qwen3")]
    [InlineData("mllama")]
    public void A_model_type_stands_for_the_descriptions_that_compute_it(string type)
    {
        Assert.Contains($"key 'model_type' is '{type}', but Stories260K computes what llama or mistral or phi3 or Stories260K does", Difference<Stories260K>(c => c["model_type"] = type));
        Assert.Null(Difference<Stories260K>(c => c["model_type"] = type, "model_type"));
    }

    [Fact]
    public void A_model_type_that_is_missing_is_named() =>
        Assert.Contains("key 'model_type' is missing", Difference<Stories260K>(c => c.Remove("model_type")));

    [Fact]
    public void Families_have_their_own_biases_norms_and_defaults()
    {
        Assert.Null(Difference<Stories260K>(c => (c["model_type"], c["sliding_window"]) = ("mistral", null)));
        Assert.Contains("key 'sliding_window' is 256", Difference<Stories260K>(c => (c["model_type"], c["sliding_window"]) = ("mistral", 256)));
        Assert.Contains("'num_key_value_heads' is absent, which means 32, but ClosedFormAttentionBias", Written<ClosedFormAttentionBias>(c => c.Remove("num_key_value_heads")));
        Assert.Null(Written<ClosedFormAttentionBias>(c => (c["sliding_window"], c["use_sliding_window"]) = (4, false)));
        Assert.Null(Written<ClosedFormAttentionBias>(c => c["sliding_window"] = 4));
        Assert.Contains("'sliding_window' is 4", Written<ClosedFormAttentionBias>(c => (c["sliding_window"], c["use_sliding_window"]) = (4, true)));
        Assert.Null(Written<ClosedFormAttentionBias>(c => (c["sliding_window"], c["use_sliding_window"], c["max_window_layers"]) = (4, true, 2)));
        Assert.Contains("'llama', but ClosedFormAttentionBias computes what qwen2", Written<ClosedFormAttentionBias>(c => c["model_type"] = "llama"));
        Assert.Contains("'head_dim' is absent, which means 128", Written<ClosedFormQueryKeyNorm>(c => c.Remove("head_dim")));
        Assert.Contains("'attention_bias' is true", Written<ClosedFormQueryKeyNorm>(c => c["attention_bias"] = true));
    }

    [Fact]
    public void What_no_llama_computes_is_not_saved_as_one()
    {
        foreach ((string type, string? key) in ((string, string?)[])
            [WrittenType<ClosedFormParallel>("use_parallel_residual"), WrittenType<ClosedFormPostNorm>("use_post_norm"), WrittenType<ClosedFormSoftCap>("final_logit_softcapping")])
        {
            Assert.StartsWith("ClosedForm", type, StringComparison.Ordinal);
            Assert.NotNull(key);
        }

        Assert.Contains("'llama', but ClosedFormParallel", Written<ClosedFormParallel>(c => c["model_type"] = "llama"));
        Assert.Contains("'use_parallel_residual' is absent, which means false", Written<ClosedFormParallel>(c => c.Remove("use_parallel_residual")));
    }

    [Theory]
    [InlineData("""{"rope_type": "default", "rope_theta": 10000.0, "partial_rotary_factor": 0.5}""", "key 'rope_parameters.partial_rotary_factor' is 0.5", "partial_rotary_factor")]
    [InlineData("""{"rope_type": "default", "rope_theta": 500000.0}""", "key 'rope_parameters.rope_theta' is 500000.0", "rope_theta")]
    [InlineData("""{"full_attention": {"rope_theta": 1000000.0}, "sliding_attention": {"rope_theta": 10000.0}}""", "by type of layer (full_attention, sliding_attention", "rope_parameters")]
    [InlineData("""{"rope_type": "yarn", "factor": 4.0, "rope_theta": 10000.0}""", "'yarn'", "rope_type")]
    [InlineData("""{"rope_type": "default", "mrope_section": [2, 1, 1]}""", "'rope_parameters.mrope_section'", "mrope_section")]
    [InlineData("""{"rope_type": "default", "factor": 8.0}""", "'rope_parameters.factor' is 8.0", "rope_parameters")]
    [InlineData("\"default\"", "key 'rope_parameters' is \"default\", which must be an object", "rope_parameters")]
    public void Positions_of_newer_files_are_compared_too(string parameters, string expected, string key)
    {
        void Change(JsonObject config)
        {
            config.Remove("rope_theta");
            config["rope_parameters"] = JsonNode.Parse(parameters);
        }

        Assert.Contains(expected, Difference<Stories260K>(Change));
        Assert.Null(Difference<Stories260K>(Change, key));
    }

    [Theory]
    [InlineData("""{"full_attention": {"rope_type": "default", "rope_theta": 10000.0}}""")]
    [InlineData("""{"full_attention": {"rope_type": "default", "rope_theta": 10000.0}, "sliding_attention": null}""")]
    public void One_kind_of_layer_is_all_layers(string parameters) => Assert.Null(Difference<Stories260K>(c =>
    {
        c.Remove("rope_theta");
        c["rope_parameters"] = JsonNode.Parse(parameters);
    }));

    [Fact]
    public void A_window_as_long_as_the_context_hides_nothing() => Assert.Null(Difference<Stories260K>(c =>
        (c["layer_types"], c["sliding_window"]) = (new JsonArray("sliding_attention", "full_attention"), 512)));

    [Theory]
    [InlineData("rope_parameters", """{"rope_type": "default", "rope_theta": 500000.0}""", "'rope_theta' is 10000.0, but 'rope_parameters.rope_theta' is 500000.0")]
    [InlineData("rope_scaling", """{"rope_type": "linear", "type": "llama3", "factor": 1.0}""", "'rope_scaling.rope_type' is \"linear\", but 'rope_scaling.type' is \"llama3\"")]
    [InlineData("hidden_activation", "\"gelu\"", "'hidden_act' is \"silu\", but 'hidden_activation' is \"gelu\"")]
    public void Two_spellings_of_a_value_must_agree(string key, string value, string expected) =>
        Assert.Contains(expected, Difference<Stories260K>(c => c[key] = JsonNode.Parse(value)));

    [Fact]
    public void Types_of_weights_in_both_spellings_must_agree_and_so_must_scalings()
    {
        Assert.Contains("'torch_dtype' is \"float16\", but 'dtype' is \"bfloat16\"", Difference<Stories260K>(c => (c["torch_dtype"], c["dtype"]) = ("float16", "bfloat16")));
        Assert.Null(Difference<Stories260K>(c => (c["torch_dtype"], c["dtype"]) = ("torch.float16", "float16")));
        Assert.Contains("'rope_scaling.factor' is 8, but 'rope_parameters.factor' is 4", Written<ClosedFormScaledRotary>(c =>
        {
            c["rope_parameters"] = c["rope_scaling"]!.DeepClone();
            c["rope_parameters"]!["factor"] = 4;
        }));
        Assert.Null(Written<ClosedFormScaledRotary>(c => c["rope_parameters"] = c["rope_scaling"]!.DeepClone()));
    }

    [Fact]
    public void All_problems_are_named_at_once_up_to_a_limit()
    {
        string difference = Difference<Stories260K>(c => (c["model_type"], c["embedding_multiplier"], c["residual_multiplier"], c["logits_scaling"], c["clip_qkv"]) = ("granite", 12, 0.2, 16, 8))!;

        Assert.Contains("'granite'", difference);
        Assert.Contains("key 'embedding_multiplier' is 12", difference);
        Assert.EndsWith("; and 1 more", difference, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("llama-2-7b-chat", nameof(Llama2_7B))]
    [InlineData("llama-3.2-1b-instruct", nameof(Llama3_2_1B))]
    [InlineData("qwen3-0.6b", nameof(Qwen3_0_6B))]
    public void A_real_file_is_the_gallery_model_that_it_is(string family, string model)
    {
        TestData.Require("families");
        Assert.Null(ModelConfiguration.Difference(TestData.PathOf($"families/{family}/config.json"), Tables(model)));
    }

    /// <summary>Ignoring sizes, real files are of a model's family or not; the description then lacks nothing that they say.</summary>
    [Fact]
    public void Real_files_have_no_key_that_is_not_known_or_are_refused_for_one()
    {
        TestData.Require("families");
        Dictionary<string, string> families = new()
        {
            ["llama-2-7b-chat"] = nameof(Llama2_7B),
            ["llama-3.1-8b"] = nameof(Llama3_2_1B),
            ["llama-3.2-1b-instruct"] = nameof(Llama3_2_1B),
            ["falcon3-7b-instruct"] = nameof(Llama2_7B),
            ["smollm2-1.7b-instruct"] = nameof(SmolLM2_135M),
            ["yi-6b-chat"] = nameof(Llama2_7B),
            ["phi-4"] = nameof(Llama2_7B),
            ["mistral-7b-instruct-v0.2"] = nameof(Mistral_7B),
            ["qwen2-1.5b-instruct"] = nameof(Qwen2_5_0_5B),
            ["qwen2.5-7b-instruct"] = nameof(Qwen2_5_0_5B),
            ["qwen3-0.6b"] = nameof(Qwen3_0_6B),
            ["qwen3-4b"] = nameof(Qwen3_0_6B),
        };
        foreach (string folder in Directory.GetDirectories(TestData.PathOf("families")))
        {
            string name = Path.GetFileName(folder);
            foreach (string model in families.Values.Distinct())
            {
                ModelTables tables = Tables(model);
                string? difference = ModelConfiguration.Difference(Path.Combine(folder, "config.json"), tables, [.. tables.Configuration.Select(c => c.Key).Where(k => k != "hidden_act")]);
                if (families.TryGetValue(name, out string? own) && own == model)
                {
                    Assert.True(difference is null, $"{name} as {model}: {difference}");
                }
                else if (own is null)
                {
                    Assert.True(difference is not null, $"{name} as {model}");
                }
            }
        }
    }

    private static ModelTables Tables(string model)
    {
        Gallery.Register();
        return ModelRegistry.All.First(m => m.Tables.Name == model).Tables;
    }

    private static string? Difference<T>(Action<JsonObject> change, params string[] ignore)
        where T : TransformerModel, IModel<T> => Difference<T>(Llama, change, ignore);

    /// <summary>What a file that is written for a description says otherwise, once it is changed.</summary>
    private static string? Written<T>(Action<JsonObject> change)
        where T : TransformerModel, IModel<T> => Difference<T>(WrittenText<T>(), change, []);

    private static (string Type, string? Key) WrittenType<T>(string key)
        where T : TransformerModel, IModel<T>
    {
        JsonNode config = JsonNode.Parse(WrittenText<T>())!;
        return (config["model_type"]!.ToString(), config[key]?.ToString());
    }

    private static string WrittenText<T>()
        where T : TransformerModel, IModel<T>
    {
        using var folder = new TemporaryFolder();
        ConfigurationFile.Write(folder.File("config.json"), T.Tables, CheckpointFamily.MapOf(T.Tables).Family, "float32");
        return File.ReadAllText(folder.File("config.json"));
    }

    private static string? Difference<T>(string text, Action<JsonObject> change, string[] ignore)
        where T : TransformerModel, IModel<T>
    {
        using var folder = new TemporaryFolder();
        JsonObject config = JsonNode.Parse(text)!.AsObject();
        change(config);
        File.WriteAllText(folder.File("config.json"), config.ToJsonString(new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }).Replace(",", ", ").Replace(":", ": "));
        return ModelConfiguration.Difference(folder.File("config.json"), T.Tables, ignore);
    }
}
