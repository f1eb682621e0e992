using ModelCompiler.Adapters;
using ModelCompiler.Backends;
using ModelCompiler.HuggingFace.Peft;
using ModelCompiler.HuggingFace.Weights;
using ModelCompiler.Models;
using ModelCompiler.Planning;
using ModelCompiler.Quantization;
using ModelCompiler.Safetensors;
using ModelCompiler.Testing.Reference;
using ModelCompiler.Tests.Models;
using ModelCompiler.Training;
using static ModelCompiler.Tests.Adapters.StartedModel;

namespace ModelCompiler.Tests.Adapters;

public sealed class LoftqTests : IDisposable
{
    private readonly StartedModel _started = new();

    [Fact]
    public void Weight_and_adapter_are_nearer_to_the_weight_than_its_NF4_codes_are()
    {
        using StoriesLoftq once = _started.Load<StoriesLoftq>();
        using StoriesLoftqFive often = _started.Load<StoriesLoftqFive>();
        foreach ((LoraAdapter first, LoraAdapter second) in once.Adapters.Cast<LoraAdapter>().Zip(often.Adapters.Cast<LoraAdapter>()))
        {
            float[] weight = _started.Weight(first);
            double alone = ModelRun.Norm(weight.Zip(Quantized(once, first, weight), (w, q) => w - q));
            double fitted = ModelRun.Norm(Lost(once, first));
            Assert.True(fitted < 0.95 * alone, $"{first.Path}: {fitted} beside {alone}");
            Assert.True(ModelRun.Norm(Lost(often, second)) < fitted, $"{first.Path}: five iterations leave {ModelRun.Norm(Lost(often, second))}, one {fitted}");
        }
    }

    /// <summary>With one iteration the codes are those of the weight itself, and what remains has nothing in common with the adapter's directions.</summary>
    [Fact]
    public void The_adapter_is_the_best_of_its_rank_for_what_the_codes_lose()
    {
        using StoriesLoftq model = _started.Load<StoriesLoftq>();
        foreach (LoraAdapter adapter in model.Adapters.Cast<LoraAdapter>())
        {
            Assert.Equal(Quantized(model, adapter, _started.Weight(adapter)), Held(model, adapter));
            double[] lost = Lost(model, adapter);
            Assert.True(TimesTransposed(lost, model.Values(adapter.A.Value), adapter.Inputs).Max(Math.Abs) < 1e-7);
            Assert.True(TimesTransposed(Transposed(model.Values(adapter.B.Value), adapter.Rank), Transposed(lost, adapter.Inputs), adapter.Outputs).Max(Math.Abs) < 1e-7);
        }
    }

    /// <summary>Of several iterations the last codes are of W − s B A of the adapter before, which the weights at hand then no longer say; the codes are saved.</summary>
    [Fact]
    public void Saved_codes_and_the_exported_adapter_are_the_model()
    {
        using StoriesLoftqFive native = _started.Load<StoriesLoftqFive>();
        Train(native);
        AdapterFiles.Save(native, _started.Other);
        BaseWeights.SaveQuantized(native, _started.Other, SafetensorsType.F32);

        using StoriesLoraFourNf4 plain = _started.Load<StoriesLoraFourNf4>(_started.Other);
        AdapterFiles.Load(plain, _started.Other);
        Assert.True(Apart(Logits(native), Logits(plain)) < 1e-5);
    }

    [Fact]
    public void Codes_alone_have_no_start()
    {
        using StoriesLoftq saved = _started.Load<StoriesLoftq>();
        BaseWeights.SaveQuantized(saved, _started.Other);
        using StoriesLoftq model = Model.ForGeneration<StoriesLoftq>(16, backend: new ReferenceBackend());
        BaseWeights.Load(model, _started.Other);
        Assert.Contains("q_proj.weight' is quantized already", Assert.Throws<CheckpointException>(() => Initialization.Adapters(model, seed: 1)).Message);
        Assert.Contains("load the base first", Assert.Throws<InvalidOperationException>(() => Initialization.All(model, seed: 1)).Message);
    }

    [Fact]
    public void Another_storage_in_the_plan_is_refused()
    {
        using var model = Model.ForTraining<StoriesLoftq>(new TrainingPlan { Sequence = 8, Storage = new WeightFormat(Storage.Int8, 64) }, new ReferenceBackend());
        BaseWeights.Load(model, _started.Base);
        Assert.Contains("Int8", Assert.Throws<AdapterException>(() => Initialization.Adapters(model, seed: 1)).Message);
    }

    public void Dispose() => _started.Dispose();

    /// <summary>W − Q − s B A.</summary>
    private double[] Lost(TransformerModel model, LoraAdapter adapter)
    {
        double[] held = Held(model, adapter);
        double[] delta = Delta(model, adapter);
        return [.. _started.Weight(adapter).Select((w, i) => w - held[i] - delta[i])];
    }

    private static double[] Held(TransformerModel model, LoraAdapter adapter)
    {
        var values = new double[adapter.Inputs * adapter.Outputs];
        new HostRows(model.Backend, adapter.WeightIn(model).Value).Read(0, values);
        return values;
    }

    private static double[] Quantized(TransformerModel model, LoraAdapter adapter, float[] weight)
    {
        DType type = adapter.WeightIn(model).Value.Type;
        var values = new double[weight.Length];
        Dequantization.Read(type, adapter.Outputs, adapter.Inputs, WeightQuantizer.Quantize(type, adapter.Outputs, adapter.Inputs, weight), 0, values);
        return values;
    }
}
