using ModelCompiler.Adapters;
using ModelCompiler.Backends.Cpu;
using ModelCompiler.HuggingFace.Peft;
using ModelCompiler.Models;
using ModelCompiler.Planning;
using ModelCompiler.Safetensors;
using ModelCompiler.Tensors;
using ModelCompiler.Tests.Files;
using ModelCompiler.Tests.Models;

namespace ModelCompiler.Tests.Checkpoints;

public class AdapterFilesTests
{
    [Fact]
    public void A_round_trip_keeps_every_bit()
    {
        using var folder = new TemporaryFolder();
        using StoriesLoraStabilized saved = Create<StoriesLoraStabilized>(seed: 1);
        using StoriesLoraStabilized loaded = Create<StoriesLoraStabilized>(seed: 2);

        AdapterFiles.Save(saved, folder.Path, "stories260K");
        AdapterFiles.Load(loaded, folder.Path);

        Assert.Equal(Values(saved), Values(loaded));
        PeftConfig config = PeftAdapter.Load(folder.Path).Config;
        Assert.Equal((4, 8.0, true, "stories260K"), (config.R, config.Alpha, config.UseRslora, config.BaseModel));
        Assert.Equal(["down_proj", "gate_proj", "k_proj", "o_proj", "q_proj", "up_proj", "v_proj"], config.TargetModules);
        Assert.Empty(config.RankPattern);
    }

    [Fact]
    public void Adapters_of_upper_layers_and_two_ranks_are_named_by_path()
    {
        using var folder = new TemporaryFolder();
        using StoriesLoraDropout model = Create<StoriesLoraDropout>(seed: 1);

        AdapterFiles.Save(model, folder.Path);

        PeftAdapter file = PeftAdapter.Load(folder.Path);
        Assert.Equal(3 * 7, file.Modules.Count);
        Assert.Equal(file.Modules.Keys.Order(StringComparer.Ordinal), file.Config.TargetModules.Order(StringComparer.Ordinal));
        Assert.DoesNotContain(file.Modules.Keys, m => m.Contains("layers.1.", StringComparison.Ordinal));
        foreach (LoraAdapter adapter in model.Adapters.Cast<LoraAdapter>())
        {
            Assert.Equal(adapter.Rank, file.Config.RankOf(model.ModuleOf(adapter)));
            Assert.Equal(adapter.Scale, file.Config.ScaleOf(model.ModuleOf(adapter)), 1e-6);
        }
    }

    [Fact]
    public void The_planned_rank_is_what_is_saved()
    {
        using var folder = new TemporaryFolder();
        using var model = Model.ForTraining<StoriesLoraQueryValue>(new TrainingPlan { Sequence = 8, Rank = 2 }, new CpuBackend(1));

        AdapterFiles.Save(model, folder.Path);

        PeftConfig config = PeftAdapter.Load(folder.Path).Config;
        Assert.Equal((2, 8.0), (config.R, config.Alpha));
    }

    [Fact]
    public void Files_of_another_recipe_are_refused_with_what_differs()
    {
        using var folder = new TemporaryFolder();
        using StoriesLoraQueryValue model = Create<StoriesLoraQueryValue>(seed: 1);
        AdapterFiles.Save(model, folder.Path);
        float[] before = Values(model);

        using var otherRank = Model.ForTraining<StoriesLoraQueryValue>(new TrainingPlan { Sequence = 8, Rank = 2 }, new CpuBackend(1));
        Assert.Contains("rank 4 in the file, 2 in the plan", Refused(otherRank, folder.Path));

        using StoriesLoraStabilized otherTargets = Create<StoriesLoraStabilized>(seed: 2);
        Assert.Contains("k_proj' has no adapter in the file", Refused(otherTargets, folder.Path));

        string config = File.ReadAllText(folder.File(PeftAdapter.ConfigName));
        File.WriteAllText(folder.File(PeftAdapter.ConfigName), config.Replace("\"lora_alpha\": 8", "\"lora_alpha\": 32"));
        Assert.Contains("alpha 32", Refused(model, folder.Path));
        Assert.Equal(before, Values(model));

        using Stories260K none = Create<Stories260K>(seed: 1);
        Assert.Throws<ArgumentException>(() => AdapterFiles.Save(none, folder.Path));
    }

    [Fact]
    public void Transposed_weights_are_refused_where_the_base_has_none()
    {
        using var folder = new TemporaryFolder();
        using var model = Model.ForTraining<Stories260K_Lora>(new TrainingPlan(), new CpuBackend(1));
        Initialization.All(model, seed: 1);
        AdapterFiles.Save(model, folder.Path);
        string path = folder.File("adapter_config.json");
        File.WriteAllText(path, File.ReadAllText(path).Replace("\"fan_in_fan_out\": false", "\"fan_in_fan_out\": true", StringComparison.Ordinal));

        Assert.Contains("'fan_in_fan_out'", Assert.Throws<CheckpointException>(() => AdapterFiles.Load(model, folder.Path)).Message);
    }

    [Fact]
    public void Adapters_of_more_modules_than_the_recipe_has_are_refused()
    {
        using var folder = new TemporaryFolder();
        using StoriesLoraStabilized all = Create<StoriesLoraStabilized>(seed: 1);
        AdapterFiles.Save(all, folder.Path);
        using StoriesLoraQueryValue fewer = Create<StoriesLoraQueryValue>(seed: 1);

        Assert.Contains("does not fit StoriesLoraQueryValue", Refused(fewer, folder.Path));
    }

    private static string Refused(TransformerModel model, string folder) =>
        Assert.Throws<CheckpointException>(() => AdapterFiles.Load(model, folder)).Message;

    private static T Create<T>(ulong seed)
        where T : TransformerModel, IModel<T>
    {
        T model = Model.ForTraining<T>(new TrainingPlan { Sequence = 8 }, new CpuBackend(1));
        Initialization.All(model, seed);
        foreach (LoraAdapter adapter in model.Adapters.Cast<LoraAdapter>())
        {
            // B is zero at the start, which would hide a lost one.
            Tensor b = adapter.B.Value;
            model.Backend.Write(b, Enumerable.Range(0, (int)b.Count).Select(i => seed + 0.1f * i + adapter.Layer).ToArray());
        }

        return model;
    }

    private static float[] Values(TransformerModel model) => [.. model.Trainable.SelectMany(p =>
    {
        var values = new float[p.Value.Count];
        model.Backend.Read(p.Value, values);
        return values;
    })];
}
