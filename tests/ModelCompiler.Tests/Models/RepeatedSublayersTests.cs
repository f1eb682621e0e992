using ModelCompiler.HuggingFace.Peft;
using ModelCompiler.HuggingFace.Weights;
using ModelCompiler.Models;
using ModelCompiler.Planning;
using ModelCompiler.Testing.Reference;
using ModelCompiler.Tests.Adapters;
using ModelCompiler.Tests.Files;
using ModelCompiler.Tests.Training;
using ModelCompiler.Training;

namespace ModelCompiler.Tests.Models;

/// <summary>Two sublayers of one kind in a block have two of everything.</summary>
public class RepeatedSublayersTests
{
    private const string Layer = "model.layers.1.";

    [Fact]
    public void Names_of_the_checkpoint_are_distinct_and_the_first_of_a_kind_keeps_its_own()
    {
        using RepeatedSublayers model = Create<RepeatedSublayers>();

        Assert.Equal(model.Parameters.Count, model.Parameters.Select(p => p.Path).Distinct().Count());
        string[] names = [.. model.Parameters.Select(model.NameOf).Where(n => n.StartsWith(Layer, StringComparison.Ordinal)).Select(n => n[Layer.Length..])];
        foreach (string name in new[]
        {
            "input_layernorm.weight", "self_attn.q_proj.weight", "self_attn.q_norm.weight", "mlp.gate_proj.weight", "mlp.layer_scale", "post_attention_layernorm.weight",
            "norm_3.weight", "self_attn_2.q_proj.weight", "self_attn_2.q_norm.weight", "norm_4.weight", "mlp_2.gate_proj.weight", "mlp_2.layer_scale",
        })
        {
            Assert.Contains(name, names);
        }
    }

    [Fact]
    public void Each_starts_with_its_own_numbers()
    {
        using RepeatedSublayersLora model = Create<RepeatedSublayersLora>();

        Assert.NotEqual(model.Values(model.Layers[0].Local.Query.Weight), model.Values(model.Layers[0].Global.Query.Weight));
        Assert.NotEqual(model.Values(model.Layers[0].First.Up.Weight), model.Values(model.Layers[0].Second.Up.Weight));
        Assert.NotEqual(model.Values(model.Layers[0].Local.Query.Adapter.A), model.Values(model.Layers[0].Global.Query.Adapter.A));
    }

    [Fact]
    public void Weights_are_saved_and_loaded()
    {
        using var folder = new TemporaryFolder();
        using RepeatedSublayers saved = Create<RepeatedSublayers>(seed: 1);
        using RepeatedSublayers loaded = Create<RepeatedSublayers>(seed: 2);

        BaseWeights.Save(saved, folder.Path);
        BaseWeights.Load(loaded, folder.Path);

        Assert.All(saved.Parameters.Zip(loaded.Parameters), p => Assert.Equal(saved.Read(p.First), loaded.Read(p.Second)));
    }

    [Fact]
    public void Adapters_are_trained_saved_loaded_and_merged()
    {
        using var folder = new TemporaryFolder();
        using var merged = new TemporaryFolder();
        using RepeatedSublayersLora trained = Train<RepeatedSublayersLora>(out double[] losses);
        Assert.True(losses[^1] < losses[0], $"{losses[0]} to {losses[^1]}");
        Assert.All(trained.Trainable, p => Assert.Contains(trained.Values(p), v => v != 0));

        AdapterFiles.Save(trained, folder.Path);
        using RepeatedSublayersLora served = Model.ForGeneration<RepeatedSublayersLora>(16, backend: new ReferenceBackend());
        Initialization.All(served, seed: 5);
        double[] before = AdapterRun.Logits(served);
        AdapterFiles.Load(served, folder.Path);
        double[] after = AdapterRun.Logits(served);
        Assert.True(AdapterRun.Apart(before, after) > 1e-3);

        MergedWeights.Save(served, merged.Path);
        using RepeatedSublayers plain = Model.ForGeneration<RepeatedSublayers>(16, backend: new ReferenceBackend());
        BaseWeights.Load(plain, merged.Path);
        Assert.InRange(AdapterRun.Apart(after, AdapterRun.Logits(plain)), 0, 1e-5);
    }

    [Fact]
    public void Everything_trains()
    {
        using RepeatedSublayers start = SmallRun.CreateModel<RepeatedSublayers>();
        using RepeatedSublayers trained = Train<RepeatedSublayers>(out double[] losses);

        Assert.True(losses[^1] < losses[0], $"{losses[0]} to {losses[^1]}");
        Assert.All(start.Parameters.Zip(trained.Parameters), p => Assert.NotEqual(start.Read(p.First), trained.Read(p.Second)));
    }

    [Fact]
    public void Nested_adapters_over_codes_train()
    {
        using var folder = new TemporaryFolder();
        using RepeatedSublayersQDyLora trained = Train<RepeatedSublayersQDyLora>(out double[] losses);

        Assert.All(losses, loss => Assert.True(double.IsFinite(loss)));
        AdapterFiles.Save(trained, folder.Path);
        Assert.Equal(2 * 2 * 4, PeftAdapter.Load(folder.Path).Modules.Count);
    }

    private static T Create<T>(ulong seed = 5)
        where T : TransformerModel, IModel<T>
    {
        T model = Model.ForTraining<T>(new TrainingPlan { Sequence = 8 }, new ReferenceBackend());
        Initialization.All(model, seed);
        return model;
    }

    private static T Train<T>(out double[] losses)
        where T : TransformerModel, IModel<T>
    {
        T model = SmallRun.CreateModel<T>();
        var seen = new List<double>();
        new Trainer(model, SmallRun.Data, SmallRun.Options).Run(step => seen.Add(step.Loss));
        losses = [.. seen];
        return model;
    }
}
