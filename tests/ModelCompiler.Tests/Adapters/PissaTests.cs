using ModelCompiler.Adapters;
using ModelCompiler.Backends;
using ModelCompiler.HuggingFace.Peft;
using ModelCompiler.HuggingFace.Weights;
using ModelCompiler.Models;
using ModelCompiler.Planning;
using ModelCompiler.Quantization;
using ModelCompiler.Tests.Models;
using static ModelCompiler.Tests.Adapters.StartedModel;

namespace ModelCompiler.Tests.Adapters;

public sealed class PissaTests : IDisposable
{
    private readonly StartedModel _started = new();

    [Fact]
    public void The_model_computes_what_its_base_does_before_the_first_step()
    {
        using Stories260K bare = _started.Load<Stories260K>();
        using StoriesPissa model = _started.Load<StoriesPissa>();
        Assert.True(Apart(Logits(bare), Logits(model)) < 1e-5);

        // Without its adapters it does not: they have a part of the weights.
        foreach (LoraAdapter adapter in model.Adapters.Cast<LoraAdapter>())
        {
            Initialization.Constant(model, adapter.B, 0);
        }

        Assert.True(Apart(Logits(bare), Logits(model)) > 1e-3);
    }

    /// <summary>What tells a truncated singular value decomposition from any other product: W − s B A has nothing in common with A's rows or B's columns, and both share its values.</summary>
    [Fact]
    public void Adapter_and_weight_are_the_two_ends_of_the_spectrum()
    {
        using StoriesPissa model = _started.Load<StoriesPissa>();
        foreach (LoraAdapter adapter in model.Adapters.Cast<LoraAdapter>())
        {
            double[] rest = model.Values(adapter.WeightIn(model).Value);
            double[] delta = Delta(model, adapter);
            Assert.True(Apart([.. _started.Weight(adapter).Select(w => (double)w)], [.. rest.Zip(delta, (x, y) => x + y)]) < 1e-7);

            double[] a = model.Values(adapter.A.Value);
            double[] b = model.Values(adapter.B.Value);
            double[] across = Transposed(b, adapter.Rank);
            Assert.True(TimesTransposed(rest, a, adapter.Inputs).Max(Math.Abs) < 1e-6);
            Assert.True(TimesTransposed(across, Transposed(rest, adapter.Inputs), adapter.Outputs).Max(Math.Abs) < 1e-6);
            double[] values = TimesTransposed(a, a, adapter.Inputs);
            Assert.True(Apart(values, TimesTransposed(across, across, adapter.Outputs)) < 1e-6);
            for (int k = 0; k < adapter.Rank; k++)
            {
                Assert.True(k == 0 || values[k * adapter.Rank + k] <= values[(k - 1) * (adapter.Rank + 1)] + 1e-6);
                Assert.True(Enumerable.Range(0, adapter.Rank).All(l => l == k || Math.Abs(values[k * adapter.Rank + l]) < 1e-6));
            }

            // The rest is smaller in every direction than what the adapter took.
            double least = adapter.Scale * values[^1];
            double[] direction = [.. Enumerable.Range(0, adapter.Inputs).Select(j => Math.Cos(1.7 * j * j))];
            for (int i = 0; i < 30; i++)
            {
                double norm = ModelRun.Norm(direction);
                direction = TimesTransposed(Transposed(rest, adapter.Inputs), TimesTransposed([.. direction.Select(d => d / norm)], rest, adapter.Inputs), adapter.Outputs);
                Assert.True(Math.Sqrt(ModelRun.Norm(direction)) <= least * (1 + 1e-5));
            }
        }
    }

    [Fact]
    public void The_export_on_the_original_base_computes_what_the_trained_model_does()
    {
        using StoriesPissa native = _started.Load<StoriesPissa>();
        Train(native);
        AdapterFiles.Save(native, _started.Other);

        PeftConfig config = PeftAdapter.Load(_started.Other).Config;
        Assert.Equal((8, 16.0), (config.R, config.Alpha));
        using StoriesLoraEight plain = _started.Load<StoriesLoraEight>();
        using Stories260K bare = _started.Load<Stories260K>();
        AdapterFiles.Load(plain, _started.Other);
        Assert.True(Apart(Logits(native), Logits(plain)) < 1e-5);
        Assert.True(Apart(Logits(native), Logits(bare)) > 1e-3);
    }

    [Fact]
    public void What_is_saved_is_loaded_to_the_same_bits()
    {
        using StoriesPissa saved = _started.Load<StoriesPissa>();
        Train(saved);
        AdapterFiles.Save(saved, _started.Other);

        using StoriesPissa loaded = _started.Load<StoriesPissa>();
        AdapterFiles.Load(loaded, _started.Other);

        Assert.All(saved.Parameters.Zip(loaded.Parameters), pair => Assert.Equal(saved.Values(pair.First.Value), loaded.Values(pair.Second.Value)));
    }

    /// <summary>Another machine's start may differ in rounding, and more where singular values are near each other.</summary>
    [Fact]
    public void A_start_made_elsewhere_comes_with_the_adapter()
    {
        using StoriesPissa native = _started.Load<StoriesPissa>();
        Train(native);
        foreach (LoraAdapter adapter in native.Adapters.Cast<LoraAdapter>())
        {
            native.Backend.Write(adapter.StartA!.Value, native.Values(adapter.StartA.Value).Select(v => (float)(0.7 * v)).ToArray());
        }

        AdapterFiles.Save(native, _started.Other);

        using StoriesLoraEight plain = _started.Load<StoriesLoraEight>();
        using StoriesPissa loaded = _started.Load<StoriesPissa>();
        AdapterFiles.Load(plain, _started.Other);
        AdapterFiles.Load(loaded, _started.Other);
        Assert.True(Apart(Logits(plain), Logits(loaded)) < 1e-5);
        Assert.True(Apart(Logits(native), Logits(loaded)) > 1e-3);
    }

    [Fact]
    public void Starting_again_starts_from_the_checkpoint()
    {
        using StoriesPissa model = _started.Load<StoriesPissa>();
        double[][] once = [.. model.Parameters.Select(p => model.Values(p.Value))];
        Train(model);
        Initialization.Adapters(model, seed: 6);
        Assert.Equal(once, model.Parameters.Select(p => model.Values(p.Value)));
    }

    [Fact]
    public void The_merged_model_computes_what_the_trained_model_does()
    {
        using StoriesPissa native = _started.Load<StoriesPissa>();
        Train(native);
        MergedWeights.Save(native, _started.Other);
        using Stories260K merged = _started.Load<Stories260K>(_started.Other);
        Assert.True(Apart(Logits(native), Logits(merged)) < 1e-5);
    }

    [Fact]
    public void Weights_are_quantized_after_the_start_took_its_part()
    {
        using StoriesPissaNf4 model = _started.Load<StoriesPissaNf4>();
        foreach (LoraAdapter adapter in model.Adapters.Cast<LoraAdapter>())
        {
            double[] delta = Delta(model, adapter);
            float[] rest = [.. _started.Weight(adapter).Select((w, i) => (float)(w - delta[i]))];
            var quantized = new double[rest.Length];
            Tensors.Tensor weight = adapter.WeightIn(model).Value;
            Dequantization.Read(weight.Type, weight.Rows, weight.Columns, WeightQuantizer.Quantize(weight.Type, weight.Rows, weight.Columns, rest), 0, quantized);
            var held = new double[rest.Length];
            new HostRows(model.Backend, weight).Read(0, held);
            Assert.Equal(quantized, held);
        }
    }

    [Fact]
    public void Memory_counts_what_was_taken_from_the_weights()
    {
        var plan = new TrainingPlan { Batch = 2, Sequence = 16 };
        MemoryCost plain = StoriesGaussian.MemoryCost(plan);
        MemoryCost pissa = StoriesPissa.MemoryCost(plan);
        Assert.Equal(plain with { Adapters = 2 * plain.Adapters, Overhead = plain.Overhead + plain.Adapters }, pissa);
    }

    public void Dispose() => _started.Dispose();
}
