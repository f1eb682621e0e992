using ModelCompiler.HuggingFace.Config;
using ModelCompiler.Safetensors;
using ModelCompiler.Tests.Files;

namespace ModelCompiler.Tests.Checkpoints;

public class HuggingFaceConfigTests
{
    private const string Llama = """
        {"model_type":"llama","architectures":["LlamaForCausalLM"],"hidden_size":64,"intermediate_size":172,"num_hidden_layers":5,
         "num_attention_heads":8,"num_key_value_heads":4,"vocab_size":512,"max_position_embeddings":256,"rms_norm_eps":1e-5,
         "rope_theta":10000.0,"hidden_act":"silu","tie_word_embeddings":true,"bos_token_id":1,"eos_token_id":[2,3],"torch_dtype":"float32"}
        """;

    [Fact]
    public void Llama_is_read_and_comes_back_from_what_it_wrote()
    {
        HuggingFaceConfig config = Load(Llama);

        Assert.Equal(("llama", 64, 172, 5, 8, 4, 8), (config.ModelType, config.HiddenSize, config.IntermediateSize, config.Layers, config.Heads, config.KeyValueHeads, config.HeadWidth));
        Assert.Equal((512, 256, 1e-5, 10_000.0, "silu", true), (config.VocabularySize, config.Context, config.RmsNormEpsilon, config.RopeTheta, config.Activation, config.TieWordEmbeddings));
        Assert.Equal((1, 2, "float32"), (config.BeginOfText, config.EndOfText, config.StoredType));

        using var folder = new TemporaryFolder();
        config.Save(folder.Path);
        HuggingFaceConfig again = HuggingFaceConfig.Load(folder.Path);

        Assert.Equal(config.Architectures, again.Architectures);
        Assert.Equal(config with { Architectures = [] }, again with { Architectures = [] });
    }

    [Fact]
    public void Gpt2_has_other_names_and_defaults()
    {
        HuggingFaceConfig config = Load("""
            {"model_type":"gpt2","n_embd":768,"n_layer":12,"n_head":12,"n_positions":1024,"vocab_size":50257,"n_inner":null,
             "layer_norm_epsilon":1e-5,"activation_function":"gelu_new"}
            """);

        Assert.Equal((768, 3072, 12, 12, 12, 64, 1024), (config.HiddenSize, config.IntermediateSize, config.Layers, config.Heads, config.KeyValueHeads, config.HeadWidth, config.Context));
        Assert.Equal(("gelu_new", 1e-5, true), (config.Activation, config.LayerNormEpsilon, config.TieWordEmbeddings));
        Assert.Null(config.RmsNormEpsilon);
    }

    [Theory]
    [InlineData("\"rope_scaling\":{\"rope_type\":\"llama3\",\"factor\":8.0}", "llama3")]
    [InlineData("\"rope_scaling\":{\"type\":\"linear\",\"factor\":2.0}", "linear")]
    [InlineData("\"rope_scaling\":{\"rope_type\":\"default\"}", null)]
    [InlineData("\"rope_scaling\":null", null)]
    public void Scaled_positions_are_not_overlooked(string entry, string? expected)
    {
        Assert.Equal(expected, Load(Llama.Replace("\"model_type\"", entry + ",\"model_type\"")).RopeScaling);
    }

    [Fact]
    public void Scaled_positions_are_not_lost_in_writing()
    {
        using var folder = new TemporaryFolder();

        Assert.Throws<InvalidOperationException>(() => (Load(Llama) with { RopeScaling = "llama3" }).Save(folder.Path));
    }

    [Theory]
    [InlineData("\"hidden_size\":64", "\"hidden_size\":\"64\"", "'hidden_size' must be a whole number, not \"64\"")]
    [InlineData("\"hidden_size\":64,", "", "'hidden_size' must be a whole number from 1; it is missing")]
    [InlineData("\"vocab_size\":512", "\"vocab_size\":0", "'vocab_size'")]
    [InlineData("\"num_attention_heads\":8", "\"num_attention_heads\":7", "'num_attention_heads'")]
    [InlineData("\"rms_norm_eps\":1e-5", "\"rms_norm_eps\":\"small\"", "'rms_norm_eps'")]
    [InlineData("\"tie_word_embeddings\":true", "\"tie_word_embeddings\":1", "'tie_word_embeddings'")]
    [InlineData("\"model_type\":\"llama\",", "", "'model_type'")]
    [InlineData("\"vocab_size\":512", "\"vocab_size\":512,\"vocab_size\":513", "vocab_size")]
    [InlineData("\"hidden_size\":64", "\"hidden_size\":64.5", "'hidden_size'")]
    public void Mistakes_name_file_and_key(string original, string replaced, string expected)
    {
        string message = Assert.Throws<CheckpointException>(() => Load(Llama.Replace(original, replaced))).Message;

        Assert.Contains(expected, message);
        Assert.Contains("config.json", message);
    }

    [Fact]
    public void No_file_is_one_error()
    {
        using var folder = new TemporaryFolder();

        Assert.Contains("config.json", Assert.Throws<CheckpointException>(() => HuggingFaceConfig.Load(folder.Path)).Message);
    }

    private static HuggingFaceConfig Load(string json)
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.File("config.json"), json);
        return HuggingFaceConfig.Load(folder.Path);
    }
}
