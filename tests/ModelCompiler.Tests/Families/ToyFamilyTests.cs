using ModelCompiler.HuggingFace.Checkpoints;
using ModelCompiler.HuggingFace.Config;
using ModelCompiler.HuggingFace.Families;
using ModelCompiler.HuggingFace.Weights;
using ModelCompiler.Models;
using ModelCompiler.Safetensors;
using ModelCompiler.Tests.Files;
using ModelCompiler.Tests.Models;

namespace ModelCompiler.Tests.Families;

/// <summary>A family that registers itself is all that its checkpoints need.</summary>
public class ToyFamilyTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Its_checkpoint_is_loaded_and_saved_with_or_without_config(bool config)
    {
        using var folder = new TemporaryFolder();
        using var model = Model.ForGeneration<ToyModel>(4, backend: ModelBackends.Create("cpu-1"));
        using var loaded = Model.ForGeneration<ToyModel>(4, backend: ModelBackends.Create("cpu-1"));
        Initialization.All(model, seed: 2);
        foreach (Parameter norm in model.Parameters.Where(p => p.Info.Vector))
        {
            Initialization.Constant(model, norm, 1.25);
        }

        var map = new TensorMap(new ToyFamily(), ToyModel.Tables);
        SafetensorsWriter.Write(folder.File("model.safetensors"), MappedSources.Of(model, map, _ => SafetensorsType.F32, _ => null));
        if (config)
        {
            ConfigurationFile.Write(folder.File("config.json"), ToyModel.Tables, map.Family, "float32");
        }

        BaseWeights.Load(loaded, config ? folder.Path : folder.File("model.safetensors"));
        BaseWeights.Save(loaded, folder.File("again"));

        Assert.All(model.Parameters.Zip(loaded.Parameters), p => Assert.Equal(model.Read(p.First), loaded.Read(p.Second)));
        Assert.Equal(File.ReadAllBytes(folder.File("model.safetensors")), File.ReadAllBytes(folder.File("again/model.safetensors")));
        using Checkpoint stored = Checkpoint.Open(folder.File("model.safetensors"));
        Assert.All(stored.Read("toy.blocks.1.norm_f.weight"), w => Assert.Equal(0.25f, w));
        Assert.Equal([24L, 24L], stored.Shape("toy.blocks.0.kv.weight"));
        Assert.Equal([40L, 24L], stored.Shape("toy.blocks.0.down.weight"));
    }

    [Fact]
    public void A_description_that_two_families_compute_is_saved_as_one_of_them() =>
        Assert.Equal(["llama", "toy", "mistral", "phi3"], CheckpointFamily.Of(ToyModel.Tables).Select(f => f.ModelType));
}
