using System.Text.Json;
using ModelCompiler.Adapters;
using ModelCompiler.Files;
using ModelCompiler.HuggingFace.Peft;
using ModelCompiler.Models;
using ModelCompiler.Safetensors;
using ModelCompiler.Tests.Files;

namespace ModelCompiler.Tests.Checkpoints;

public class PeftAdapterTests
{
    private const string Query = "model.layers.0.self_attn.q_proj";
    private const string Down = "model.layers.11.mlp.down_proj";

    private static readonly string[] s_keysOfPeft06 =
    [
        "alpha_pattern", "auto_mapping", "base_model_name_or_path", "bias", "fan_in_fan_out", "inference_mode", "init_lora_weights", "layers_pattern",
        "layers_to_transform", "lora_alpha", "lora_dropout", "modules_to_save", "peft_type", "r", "rank_pattern", "revision", "target_modules", "task_type",
    ];

    [Fact]
    public void What_is_saved_comes_back()
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("made/for/it");
        PeftAdapter adapter = Example();

        adapter.Save(path);
        PeftAdapter again = PeftAdapter.Load(path);

        Assert.Equal([Query, Down], again.Modules.Keys);
        foreach ((string name, LowRankFactors module) in adapter.Modules)
        {
            Assert.Equal((module.Rank, module.Inputs, module.Outputs), (again.Modules[name].Rank, again.Modules[name].Inputs, again.Modules[name].Outputs));
            Assert.Equal(module.A, again.Modules[name].A);
            Assert.Equal(module.B, again.Modules[name].B);
        }

        Assert.Equal((2, 16.0, 0.05, true, "base"), (again.Config.R, again.Config.Alpha, again.Config.Dropout, again.Config.UseRslora, again.Config.BaseModel));
        Assert.Equal(adapter.Config.RankPattern, again.Config.RankPattern);
        Assert.Equal(adapter.Config.AlphaPattern, again.Config.AlphaPattern);
        Assert.Equal(["down_proj", "q_proj"], again.Config.TargetModules);
    }

    [Fact]
    public void Names_and_keys_are_those_that_peft_reads()
    {
        using var folder = new TemporaryFolder();
        Example().Save(folder.Path);

        using SafetensorsFile file = SafetensorsFile.Open(folder.File("adapter_model.safetensors"));
        Assert.Equal([2L, 3L], file["base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight"].Shape);
        Assert.Equal([4L, 2L], file["base_model.model.model.layers.0.self_attn.q_proj.lora_B.weight"].Shape);
        Assert.Equal("pt", file.Metadata["format"]);

        using JsonDocument config = JsonDocument.Parse(File.ReadAllBytes(folder.File("adapter_config.json")));
        Assert.Equal(s_keysOfPeft06.Append("use_rslora"), config.RootElement.EnumerateObject().Select(p => p.Name));
        Assert.Equal("16", config.RootElement.GetProperty("lora_alpha").GetRawText());
    }

    [Fact]
    public void Keys_that_older_versions_of_peft_refuse_are_written_only_where_they_say_something()
    {
        using var folder = new TemporaryFolder();
        PeftAdapter adapter = Example();
        (adapter with { Config = adapter.Config with { UseRslora = false } }).Save(folder.Path);

        using JsonDocument config = JsonDocument.Parse(File.ReadAllBytes(folder.File("adapter_config.json")));
        Assert.Equal(s_keysOfPeft06, config.RootElement.EnumerateObject().Select(p => p.Name));
        Assert.False(PeftAdapter.Load(folder.Path).Config.UseRslora);
    }

    [Theory]
    [InlineData("layers.1", "model.layers.1", 5)]
    [InlineData("layers.1", "model.layers.11", 2)]
    [InlineData("layers.1", "model.xlayers.1", 2)]
    [InlineData("layers.1", "layers.1", 5)]
    [InlineData("layers.1", "model.layers.1.q_proj", 2)]
    [InlineData("q_proj", "model.layers.3.self_attn.q_proj", 5)]
    [InlineData("q_proj|v_proj", "model.layers.3.self_attn.v_proj", 5)]
    [InlineData("layers.[0-3].mlp.down_proj", "model.layers.2.mlp.down_proj", 5)]
    [InlineData("layers.[0-3].mlp.down_proj", "model.layers.12.mlp.down_proj", 2)]
    [InlineData("model.layers.1.q", "model.layersX1.q", 5)]
    public void Patterns_match_as_in_peft(string key, string module, int rank)
    {
        PeftConfig config = new() { R = 2, Alpha = 4, TargetModules = [], RankPattern = [KeyValuePair.Create(key, 5)] };

        Assert.Equal(rank, config.RankOf(module));
    }

    [Fact]
    public void The_first_pattern_wins_and_the_scale_follows()
    {
        PeftConfig config = new()
        {
            R = 4,
            Alpha = 8,
            TargetModules = [],
            RankPattern = [KeyValuePair.Create("q_proj", 16), KeyValuePair.Create("layers.0.q_proj", 32)],
            AlphaPattern = [KeyValuePair.Create("layers.0.q_proj", 24.0)],
        };

        Assert.Equal(16, config.RankOf("model.layers.0.q_proj"));
        Assert.Equal(24.0 / 16, config.ScaleOf("model.layers.0.q_proj"));
        Assert.Equal(2, config.ScaleOf("model.layers.0.v_proj"));
        Assert.Equal(6, (config with { UseRslora = true }).ScaleOf("model.layers.0.q_proj"));
    }

    [Theory]
    [InlineData("\"LORA\"", "\"IA3\"", "'peft_type' must be \"LORA\", not \"IA3\"")]
    [InlineData("\"use_rslora\": true", "\"use_dora\": true", "says use_dora, which needs [")]
    [InlineData("\"use_rslora\": true", "\"lora_bias\": true", "'lora_bias'")]
    [InlineData("\"modules_to_save\": null", "\"modules_to_save\": [\"lm_head\"]", "'modules_to_save'")]
    [InlineData("\"bias\": \"none\"", "\"bias\": \"all\"", "'bias'")]
    [InlineData("\"init_lora_weights\": true", "\"init_lora_weights\": \"pissa_niter_4\"", "pissa")]
    [InlineData("\"r\": 2", "\"r\": 0", "'r'")]
    [InlineData("\"r\": 2", "\"r\": 3", "rank 3")]
    [InlineData("\"down_proj\": 1", "\"(\": 1", "'rank_pattern'")]
    [InlineData("\"down_proj\": 1", "\"down_proj\": 1.5", "'rank_pattern.down_proj'")]
    [InlineData("\"lora_dropout\": 0.05", "\"lora_dropout\": 1", "'lora_dropout'")]
    public void What_is_not_plain_lora_is_refused(string original, string replaced, string expected)
    {
        using var folder = new TemporaryFolder();
        Example().Save(folder.Path);
        string config = File.ReadAllText(folder.File("adapter_config.json"));
        Assert.Contains(original, config);
        File.WriteAllText(folder.File("adapter_config.json"), config.Replace(original, replaced));

        string message = Assert.Throws<CheckpointException>(() => PeftAdapter.Load(folder.Path)).Message;

        Assert.Contains(expected, message);
    }

    [Fact]
    public void The_smallest_configuration_has_pefts_defaults()
    {
        using var folder = new TemporaryFolder();
        var module = new LowRankFactors(8, 1, 1, new float[8], new float[8]);
        new PeftAdapter(new PeftConfig { R = 8, Alpha = 1, TargetModules = ["q"] }, new Dictionary<string, LowRankFactors> { ["q"] = module }).Save(folder.Path);
        File.WriteAllText(folder.File("adapter_config.json"), """{"peft_type":"LORA","target_modules":"all-linear"}""");

        PeftConfig config = PeftAdapter.Load(folder.Path).Config;

        Assert.Equal((8, 8.0, 0.0, false), (config.R, config.Alpha, config.Dropout, config.UseRslora));
        Assert.Equal(["all-linear"], config.TargetModules);
    }

    [Theory]
    [InlineData("base_model.model.q.lora_A.weight", "lora_B")]
    [InlineData("base_model.model.q.lora_magnitude_vector", "lora_A")]
    [InlineData("base_model.model.q.lora_bias", "lora_magnitude_vector")]
    [InlineData("model.q.lora_A.weight", "model.q.lora_A.weight")]
    public void Tensors_that_do_not_belong_are_named(string name, string expected)
    {
        using var folder = new TemporaryFolder();
        Example().Save(folder.Path);
        SafetensorsWriter.Write(folder.File("adapter_model.safetensors"), [TensorSource.FromArray(name, new float[2], SafetensorsType.F32, 2, 1)]);

        Assert.Contains(expected, Assert.Throws<CheckpointException>(() => PeftAdapter.Load(folder.Path)).Message);
    }

    [Fact]
    public void Wrong_sizes_are_not_saved()
    {
        using var folder = new TemporaryFolder();
        PeftAdapter adapter = Example();
        var modules = new Dictionary<string, LowRankFactors> { [Query] = adapter.Modules[Query] with { Rank = 1 } };

        Assert.Throws<ArgumentException>(() => (adapter with { Modules = modules }).Save(folder.Path));
        Assert.Empty(Directory.GetFiles(folder.Path));
    }

    [Fact]
    public void A_folder_that_cannot_be_made_is_one_error()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.File("taken"), "");

        Assert.Throws<OutputException>(() => Example().Save(folder.File("taken")));
    }

    private static PeftAdapter Example() => new(
        new PeftConfig
        {
            R = 2,
            Alpha = 16,
            Dropout = 0.05,
            TargetModules = ["q_proj", "down_proj"],
            UseRslora = true,
            RankPattern = [KeyValuePair.Create("down_proj", 1)],
            AlphaPattern = [KeyValuePair.Create("down_proj", 2.5)],
            BaseModel = "base",
        },
        new SortedDictionary<string, LowRankFactors>(StringComparer.Ordinal)
        {
            [Query] = new(2, 3, 4, [1, 2, 3, 4, 5, 6], [1, 2, 3, 4, 5, 6, 7, 8]),
            [Down] = new(1, 2, 3, [0.5f, -0.5f], [1, 0, -1]),
        });
}
