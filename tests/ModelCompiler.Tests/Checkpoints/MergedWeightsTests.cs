using ModelCompiler.Adapters;
using ModelCompiler.Backends.Reference;
using ModelCompiler.Checkpoints;
using ModelCompiler.Models;
using ModelCompiler.Tests.Files;
using ModelCompiler.Tests.Models;

namespace ModelCompiler.Tests.Checkpoints;

public class MergedWeightsTests
{
    [Fact]
    public void The_merged_model_computes_what_base_and_adapters_do()
    {
        using var folder = new TemporaryFolder();
        using var adapted = Model.ForGeneration<StoriesLoraDropout>(16, backend: new ReferenceBackend());
        Initialization.All(adapted, seed: 3);
        foreach (LoraAdapter adapter in adapted.Adapters.Cast<LoraAdapter>())
        {
            adapted.Kernels.Write(adapter.B, Enumerable.Range(0, (int)adapter.B.Value.Count).Select(i => 0.1 * Math.Sin(i + adapter.Layer)).ToArray());
        }

        int[] tokens = [1, 40, 300, 7];
        double[] expected = adapted.LogitsOf(tokens)[^1];
        double[] before = adapted.Values(adapted.Layers[3].Attention.Key.Weight);

        MergedWeights.Save(adapted, folder.Path);

        Assert.Equal(before, adapted.Values(adapted.Layers[3].Attention.Key.Weight));
        using var merged = Model.ForGeneration<Stories260K>(16, backend: new ReferenceBackend());
        BaseWeights.Load(merged, folder.Path);
        double[] actual = merged.LogitsOf(tokens)[^1];
        Assert.All(expected.Zip(actual), pair => Assert.Equal(pair.First, pair.Second, 1e-6));

        // Without the adapters the same weights give other logits: the comparison can fail.
        using var bare = Model.ForGeneration<Stories260K>(16, backend: new ReferenceBackend());
        BaseWeights.Save(adapted, folder.Path);
        BaseWeights.Load(bare, folder.Path);
        Assert.True(expected.Zip(bare.LogitsOf(tokens)[^1]).Max(pair => Math.Abs(pair.First - pair.Second)) > 1e-3);
    }

    [Fact]
    public void An_adapter_on_a_tied_head_cannot_be_merged()
    {
        using var folder = new TemporaryFolder();
        using var model = Model.ForGeneration<StoriesLoraHead>(16, backend: new ReferenceBackend());
        Assert.Contains("lm_head", Assert.Throws<ArgumentException>(() => MergedWeights.Save(model, folder.Path)).Message);
    }
}
