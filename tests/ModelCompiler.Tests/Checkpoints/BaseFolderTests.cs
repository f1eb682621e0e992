using System.Text.Json.Nodes;
using ModelCompiler.Adapters;
using ModelCompiler.Backends.Cpu;
using ModelCompiler.HuggingFace.Checkpoints;
using ModelCompiler.HuggingFace.Families;
using ModelCompiler.HuggingFace.Peft;
using ModelCompiler.HuggingFace.Weights;
using ModelCompiler.Models;
using ModelCompiler.Safetensors;
using ModelCompiler.Tests.Files;
using ModelCompiler.Tests.Models;

namespace ModelCompiler.Tests.Checkpoints;

/// <summary>What is written is the base folder with other weights.</summary>
public class BaseFolderTests
{
    private const string Query = "model.layers.0.self_attn.q_proj.weight";
    private const string Embedding = "model.embed_tokens.weight";
    private const string Config = """
        { "model_type" : "llama",   "hidden_size": 64, "intermediate_size": 172, "num_hidden_layers": 5,
          "num_attention_heads": 8, "num_key_value_heads": 4, "vocab_size": 512, "max_position_embeddings": 131072,
          "rms_norm_eps": 1e-05, "tie_word_embeddings": true, "torch_dtype": "bfloat16",
          "bos_token_id": 3, "eos_token_id": [5, 7], "pad_token_id": 0 }
        """;

    [Fact]
    public void A_merged_base_keeps_files_keys_and_types()
    {
        using var folder = new TemporaryFolder();
        string @base = Base(folder);
        string[] copied = [".gitattributes", "added_tokens.json", "chat_template.jinja", "generation_config.json", "more/template.jinja", "tok512.bin"];
        Directory.CreateDirectory(Path.Combine(@base, "more"));
        Directory.CreateDirectory(Path.Combine(@base, ".cache"));
        foreach (string file in (string[])[.. copied, "pytorch_model.bin", "model.gguf", "adapter_config.json", ".cache/state.json"])
        {
            File.WriteAllText(Path.Combine(@base, file), $"text of {file}");
        }

        using StoriesLoraQueryValue model = Adapted(@base);
        string[] written = MergedWeights.SaveFolder(model, @base, folder.File("merged"));

        Assert.Equal(["model.safetensors", "config.json", .. copied], written.Select(f => Path.GetRelativePath(folder.File("merged"), f)));
        Assert.Equal(written.Order(), Directory.GetFiles(folder.File("merged"), "*", SearchOption.AllDirectories).Order());
        Assert.Equal(Config, File.ReadAllText(written[1]));
        Assert.All(copied, file => Assert.Equal($"text of {file}", File.ReadAllText(Path.Combine(folder.File("merged"), file))));

        using Checkpoint before = Checkpoint.Open(@base);
        using Checkpoint after = Checkpoint.Open(folder.File("merged"));
        Assert.Equal(before.Names, after.Names);
        Assert.All(before.Names, name => Assert.Equal((before.Entry(name).Type, before.Entry(name).ShapeText), (after.Entry(name).Type, after.Entry(name).ShapeText)));
        Assert.Equal(before.Read(Embedding), after.Read(Embedding));
        Assert.NotEqual(before.Read(Query), after.Read(Query));

        // The merged weight is the sum, as near as its type has one.
        float[] query = before.Read(Query);
        Assert.All(after.Read(Query).Index(), w => Assert.Equal((float)(Half)(query[w.Index] + 2 * 4 * 0.25f * 0.5f), w.Item, 1e-3f));
        using var merged = Model.ForGeneration<Stories260K>(4, backend: new CpuBackend(1));
        BaseWeights.Load(merged, folder.File("merged"));
    }

    [Fact]
    public void A_type_that_is_chosen_is_said_and_nothing_else_changes()
    {
        using var folder = new TemporaryFolder();
        string @base = Base(folder);
        using StoriesLoraQueryValue model = Adapted(@base);

        MergedWeights.SaveFolder(model, @base, folder.File("merged"), SafetensorsType.F16);

        using Checkpoint checkpoint = Checkpoint.Open(folder.File("merged"));
        Assert.All(checkpoint.Names.Where(n => n.EndsWith("weight", StringComparison.Ordinal)), name => Assert.Equal(SafetensorsType.F16, checkpoint.Entry(name).Type));
        Assert.Equal(Config.Replace("bfloat16", "float16", StringComparison.Ordinal), File.ReadAllText(Path.Combine(folder.File("merged"), "config.json")));
    }

    [Fact]
    public void What_is_no_longer_quantized_does_not_say_so()
    {
        using var folder = new TemporaryFolder();
        string @base = Base(folder);
        using var quantized = Model.ForGeneration<StoriesNf4>(4, backend: new CpuBackend(1));
        BaseWeights.Load(quantized, @base);
        Initialization.Adapters(quantized, seed: 1);

        BaseFolder.SaveQuantized(quantized, @base, folder.File("nf4"));
        BaseWeights.Load(quantized, folder.File("nf4"));
        MergedWeights.SaveFolder(quantized, folder.File("nf4"), folder.File("merged"));

        JsonNode config = JsonNode.Parse(File.ReadAllText(Path.Combine(folder.File("nf4"), "config.json")))!;
        Assert.Equal("nf4", config["quantization_config"]!["bnb_4bit_quant_type"]!.ToString());
        Assert.Equal("float16", config["quantization_config"]!["bnb_4bit_compute_dtype"]!.ToString());
        Assert.Equal("131072", config["max_position_embeddings"]!.ToString());
        Assert.Equal(Config, File.ReadAllText(Path.Combine(folder.File("merged"), "config.json")));
        using Checkpoint merged = Checkpoint.Open(folder.File("merged"));
        Assert.Equal(SafetensorsType.F16, merged.Entry(Query).Type);
        Assert.DoesNotContain(merged.Names, n => n.Contains("absmax", StringComparison.Ordinal));
    }

    [Fact]
    public void Shards_of_another_checkpoint_are_not_joined_by_a_contradiction()
    {
        using var folder = new TemporaryFolder();
        string @base = Base(folder);
        using StoriesLoraQueryValue model = Adapted(@base);
        string[] before = Directory.GetFiles(@base);

        Assert.Contains(Checkpoint.IndexName, Assert.Throws<CheckpointException>(() => MergedWeights.SaveFolder(model, @base, @base)).Message);
        Assert.Equal(before, Directory.GetFiles(@base));
    }

    [Fact]
    public void A_weight_that_is_too_large_for_its_type_is_refused_and_nothing_is_written()
    {
        using var folder = new TemporaryFolder();
        string @base = Base(folder);
        using StoriesLoraQueryValue model = Adapted(@base);
        var adapter = (LoraAdapter)model.Adapters.First(a => model.ModuleOf(a) + ".weight" == Query);
        model.Backend.Write(adapter.B.Value, Enumerable.Repeat(1e5f, (int)adapter.B.Value.Count).ToArray());

        string message = Assert.Throws<CheckpointException>(() => MergedWeights.SaveFolder(model, @base, folder.File("merged"))).Message;

        Assert.Contains($"'{Query}' has ", message);
        Assert.Contains("F16 cannot hold", message);
        Assert.Empty(Directory.GetFiles(folder.File("merged")));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_tied_weight_may_be_stored_as_the_head_alone(bool alias)
    {
        using var folder = new TemporaryFolder();
        using var saved = Model.ForGeneration<Stories260K>(4, backend: new CpuBackend(1));
        Initialization.All(saved, seed: 8);
        SafetensorsWriter.Write(
            folder.File("model.safetensors"),
            MappedSources.Of(saved, CheckpointFamily.MapOf(Stories260K.Tables), _ => SafetensorsType.F32, _ => null).Select(s => s.Name == Embedding ? s with { Name = "lm_head.weight" } : s),
            alias ? new Dictionary<string, string> { [Embedding] = "lm_head.weight" } : null);
        File.WriteAllText(folder.File("config.json"), Config);
        using var loaded = Model.ForGeneration<Stories260K>(4, backend: new CpuBackend(1));

        BaseWeights.Load(loaded, folder.Path);

        Assert.Equal(saved.Values(saved.Named(Embedding).Value), loaded.Values(loaded.Named(Embedding).Value));
        BaseFolder.Save(loaded, folder.Path, folder.File("out"));
        using Checkpoint written = Checkpoint.Open(folder.File("out"));
        Assert.Contains(Embedding, written.Names);
    }

    /// <summary>A base in two shards and of three types, with a tensor that no description has.</summary>
    private static string Base(TemporaryFolder folder)
    {
        string path = folder.File("base");
        using var model = Model.ForGeneration<Stories260K>(4, backend: new CpuBackend(1));
        Initialization.All(model, seed: 7);
        TensorSource[] sources =
        [
            .. MappedSources.Of(
                model, CheckpointFamily.MapOf(Stories260K.Tables), m => m.Columns == 0 ? SafetensorsType.F32 : m.Tensor.Contains("self_attn", StringComparison.Ordinal) ? SafetensorsType.F16 : SafetensorsType.BF16, _ => null),
            TensorSource.FromArray("model.layers.0.self_attn.rotary_emb.inv_freq", [1, 2, 3, 4], SafetensorsType.F32, 4),
        ];
        Directory.CreateDirectory(path);
        string Shard(int i) => $"model-0000{1 + i % 2}-of-00002.safetensors";
        foreach (int shard in (int[])[0, 1])
        {
            SafetensorsWriter.Write(Path.Combine(path, Shard(shard)), sources.Where((_, i) => i % 2 == shard));
        }

        var map = new JsonObject(sources.Select((s, i) => KeyValuePair.Create<string, JsonNode?>(s.Name, Shard(i))));
        File.WriteAllText(Path.Combine(path, Checkpoint.IndexName), new JsonObject { ["weight_map"] = map }.ToJsonString());
        File.WriteAllText(Path.Combine(path, "config.json"), Config);
        return path;
    }

    /// <summary>Every adapter adds s r A B = 2 · 4 · 0.25 · 0.5 to each element.</summary>
    private static StoriesLoraQueryValue Adapted(string @base)
    {
        StoriesLoraQueryValue model = Model.ForGeneration<StoriesLoraQueryValue>(4, backend: new CpuBackend(1));
        BaseWeights.Load(model, @base);
        foreach (LoraAdapter adapter in model.Adapters.Cast<LoraAdapter>())
        {
            Initialization.Constant(model, adapter.A, 0.25);
            Initialization.Constant(model, adapter.B, 0.5);
        }

        return model;
    }
}
