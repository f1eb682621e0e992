using ModelCompiler.Adapters;
using ModelCompiler.Backends;
using ModelCompiler.Backends.Cpu;
using ModelCompiler.HuggingFace.Peft;
using ModelCompiler.HuggingFace.Weights;
using ModelCompiler.Models;
using ModelCompiler.Planning;
using ModelCompiler.Quantization;
using ModelCompiler.Safetensors;
using ModelCompiler.Tensors;
using ModelCompiler.Testing.Reference;
using ModelCompiler.Tests.Files;
using ModelCompiler.Tests.Models;

namespace ModelCompiler.Tests.Checkpoints;

/// <summary>Whole models whose frozen weights are quantized: loaded, saved and merged.</summary>
public class QuantizedWeightsTests
{
    private const string Query = "model.layers.2.self_attn.q_proj.weight";

    [Fact]
    public void Weights_are_quantized_as_they_are_loaded()
    {
        using var folder = new TemporaryFolder();
        using Stories260K full = Base<Stories260K>(folder.Path);
        Check<Stories260K_QLora>(full, folder.Path);
        Check<StoriesNf4>(full, folder.Path);
        Check<StoriesInt8>(full, folder.Path);
        Check<StoriesInt4>(full, folder.Path);

        static void Check<T>(Stories260K full, string path)
            where T : TransformerModel, IModel<T>
        {
            using T model = Loaded<T>(path);
            Parameter[] quantized = [.. model.Parameters.Where(p => p.Value.Type.IsQuantized())];
            Assert.NotEmpty(quantized);
            foreach (Parameter parameter in quantized)
            {
                Tensor w = parameter.Value;
                float[] values = [.. full.Values(full.Named(parameter.Path)).Select(v => (float)v)];
                Assert.Equal(WeightQuantizer.Quantize(w.Type, w.Rows, w.Columns, values), Bytes(model, w));
            }
        }
    }

    [Theory]
    [InlineData(SafetensorsType.F32)]
    [InlineData(SafetensorsType.BF16)]
    public void What_is_saved_in_bitsandbytes_form_loads_as_the_same_bytes(SafetensorsType type)
    {
        using var folder = new TemporaryFolder();
        using Stories260K full = Base<Stories260K>(folder.Path);
        using var model = Loaded<Stories260K_QLora>(folder.Path);
        BaseWeights.SaveQuantized(model, folder.File("nf4"), type);
        using var again = Loaded<Stories260K_QLora>(folder.File("nf4"));
        foreach ((Parameter saved, Parameter loaded) in model.Parameters.Zip(again.Parameters).Where(pair => pair.First.Value.Type.IsQuantized()))
        {
            Assert.Equal(Bytes(model, saved.Value), Bytes(again, loaded.Value));
        }

        BaseWeights.SaveQuantized(again, folder.File("again"), type);
        foreach (string file in new[] { "model.safetensors", "config.json" })
        {
            Assert.Equal(File.ReadAllBytes(Path.Combine(folder.File("nf4"), file)), File.ReadAllBytes(Path.Combine(folder.File("again"), file)));
        }

        using Stories260K decoded = Loaded<Stories260K>(folder.File("nf4"));
        Assert.Equal(model.Values(model.Named(Query)), decoded.Values(decoded.Named(Query)));
    }

    [Fact]
    public void A_file_quantized_in_another_way_than_the_recipe_is_refused_with_both()
    {
        using var folder = new TemporaryFolder();
        using Stories260K full = Base<Stories260K>(folder.Path);
        using var model = Loaded<Stories260K_QLora>(folder.Path);
        BaseWeights.SaveQuantized(model, folder.File("nf4"));

        string stored = model.Named(Query).Info.Format.ToString();
        Assert.Contains("double quantized", stored, StringComparison.Ordinal);
        Assert.Contains($"'model.layers.0.self_attn.q_proj.weight' is quantized as {stored}, but StoriesNf4 has it as NF4, block 128;", Refused<StoriesNf4>());
        Assert.Contains($"is quantized as {stored}, but StoriesInt8 has it as Int8, block 64;", Refused<StoriesInt8>());

        string Refused<T>()
            where T : TransformerModel, IModel<T> =>
            Assert.Throws<CheckpointException>(() => Loaded<T>(folder.File("nf4")).Dispose()).Message;
    }

    [Fact]
    public void Only_NF4_has_a_form_in_bitsandbytes_files()
    {
        using var folder = new TemporaryFolder();
        using Stories260K full = Base<Stories260K>(folder.Path);
        using var model = Loaded<StoriesInt4>(folder.Path);
        Assert.Contains("Int4, block 32: bitsandbytes has a form for NF4 only", Assert.Throws<ArgumentException>(() => BaseWeights.SaveQuantized(model, folder.File("out"))).Message);
        Assert.Contains("Stories260K quantizes no weights", Assert.Throws<ArgumentException>(() => BaseWeights.SaveQuantized(full, folder.File("out"))).Message);
    }

    [Fact]
    public void A_model_saved_or_merged_in_floats_computes_the_same()
    {
        using var folder = new TemporaryFolder();
        using Stories260K full = Base<Stories260K>(folder.Path);
        using var adapted = Model.ForGeneration<Stories260K_QLora>(16, backend: new ReferenceBackend());
        BaseWeights.Load(adapted, folder.Path);
        Initialization.Adapters(adapted, seed: 3);
        int[] tokens = [1, 40, 300, 7];
        double[] bare = adapted.LogitsOf(tokens)[^1];
        BaseWeights.Save(adapted, folder.File("saved"));
        AssertLogits(bare, folder.File("saved"));

        foreach (LoraAdapter adapter in adapted.Adapters.Cast<LoraAdapter>())
        {
            adapted.Backend.Write(adapter.B, Enumerable.Range(0, (int)adapter.B.Value.Count).Select(i => 0.1 * Math.Sin(i + adapter.Layer)).ToArray());
        }

        double[] merged = adapted.LogitsOf(tokens)[^1];
        Assert.True(merged.Zip(bare).Max(pair => Math.Abs(pair.First - pair.Second)) > 1e-3);
        MergedWeights.Save(adapted, folder.File("merged"));
        AssertLogits(merged, folder.File("merged"));

        void AssertLogits(double[] expected, string path)
        {
            using var model = Model.ForGeneration<Stories260K>(16, backend: new ReferenceBackend());
            BaseWeights.Load(model, path);
            Assert.All(expected.Zip(model.LogitsOf(tokens)[^1]), pair => Assert.Equal(pair.First, pair.Second, 1e-6));
        }
    }

    [Theory]
    [MemberData(nameof(ModelBackends.Names), MemberType = typeof(ModelBackends))]
    public void Gradients_over_quantized_weights_are_those_over_the_decoded_ones(string backend)
    {
        using var folder = new TemporaryFolder();
        using Stories260K full = Base<Stories260K>(folder.Path);
        using var quantized = Loaded<StoriesNf4>(folder.Path, ModelBackends.Create(backend));
        BaseWeights.Save(quantized, folder.File("decoded"));
        using var decoded = Loaded<StoriesLoraQueryValue>(folder.File("decoded"), new ReferenceBackend());
        int[][] rows = [[1, 40, 300, 7, 9], [5, 6, 7, 8, 100]];
        double expected = Differentiate(decoded);
        Assert.Equal(expected, Differentiate(quantized), 2e-5);
        foreach (Parameter parameter in decoded.Trainable)
        {
            double[] wanted = decoded.Values(parameter.Gradient);
            double[] actual = quantized.Values(quantized.Named(parameter.Path).Gradient);
            double norm = ModelRun.Norm(wanted);
            Assert.True(ModelRun.Norm(wanted.Zip(actual, (a, b) => a - b)) <= 2e-3 * norm + 1e-9, parameter.Path);
        }

        double Differentiate(TransformerModel model)
        {
            foreach (LoraAdapter adapter in model.Adapters.Cast<LoraAdapter>())
            {
                model.Backend.Write(adapter.B, Enumerable.Range(0, (int)adapter.B.Value.Count).Select(i => 0.1 * Math.Sin(i + adapter.Layer)).ToArray());
            }

            (int[][] inputs, int[][] targets) = ModelRun.Shift(rows);
            model.ZeroGradients();
            return model.Differentiate(inputs, targets);
        }
    }

    internal static T Base<T>(string path)
        where T : TransformerModel, IModel<T>
    {
        T model = Model.ForTraining<T>(new TrainingPlan { Sequence = 8 }, new CpuBackend(1));
        Initialization.All(model, seed: 1);
        BaseWeights.Save(model, path);
        return model;
    }

    internal static T Loaded<T>(string path, IBackend? backend = null)
        where T : TransformerModel, IModel<T>
    {
        T model = Model.ForTraining<T>(new TrainingPlan { Batch = 2, Sequence = 8, ChunkRows = 7 }, backend ?? new CpuBackend(1));
        try
        {
            BaseWeights.Load(model, path);
            Initialization.Adapters(model, seed: 3);
            return model;
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    private static byte[] Bytes(TransformerModel model, Tensor weight)
    {
        var bytes = new byte[weight.Bytes.Columns];
        model.Backend.Read(weight.Bytes, bytes.AsSpan());
        return bytes;
    }
}
