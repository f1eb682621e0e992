using System.Text.Json;
using ModelCompiler.Adapters;
using ModelCompiler.Data;
using ModelCompiler.HuggingFace.Weights;
using ModelCompiler.Models;
using ModelCompiler.Tests.Fixtures;
using ModelCompiler.Tests.Models;
using ModelCompiler.Training;

namespace ModelCompiler.Tests.Training;

/// <summary>LoRA on the real stories260K against PyTorch in double precision: gradients, and whole runs of the trainer.</summary>
/// <typeparam name="TBackends">The backends of the assembly that runs the tests.</typeparam>
public abstract class LoraReferenceTests<TBackends>
    where TBackends : ITestedBackends
{
    public static TheoryData<string> Backends => TBackends.Names;

    [Theory]
    [MemberData(nameof(Backends))]
    public void Twenty_steps_have_pytorchs_losses(string backend)
    {
        TestData.Require(StoriesReference.Folder);
        JsonElement reference = StoriesReference.Training();
        JsonElement lora = reference.GetProperty("lora");
        (int[][] inputs, int[][] targets) = ModelRun.Shift(StoriesReference.Rows(reference.GetProperty("rows")));
        using var model = Model.ForTraining<StoriesLoraQueryValue>(ModelRun.PlanFor(inputs), TBackends.Create(backend));
        BaseWeights.Load(model, TestData.PathOf(StoriesReference.Folder));
        foreach (LoraAdapter adapter in model.Adapters.Cast<LoraAdapter>())
        {
            int offset = adapter.Path.EndsWith(".Value", StringComparison.Ordinal) ? 5 : 0;
            model.Backend.Write(adapter.A, ClosedForm.LoraA(4, adapter.A.Value.Columns, adapter.Layer, offset));
        }

        var trainer = new Trainer(model, DataOf(inputs, targets), new TrainingOptions { Steps = 20, LearningRate = 5e-3, Schedule = Schedule.Constant, MaximumGradientNorm = 0 });
        var losses = new List<double>();
        for (int step = 0; step < 20; step++)
        {
            losses.Add(trainer.Step().Loss);
            if (step == 0)
            {
                CheckGradients(model, lora.GetProperty("first_step_grad_l2"), backend);
            }
        }

        losses.Add(new Evaluator(model, DataOf(inputs, targets)).Evaluate().Loss);
        double tolerance = backend == "reference" ? 1e-9 : 2e-3;
        double[] expected = StoriesReference.Numbers(lora.GetProperty("losses"));
        Assert.Equal(expected.Length, losses.Count);
        Assert.All(expected.Zip(losses), pair => Assert.Equal(pair.First, pair.Second, tolerance));
        foreach (JsonProperty end in lora.GetProperty("end_l2").EnumerateObject())
        {
            double norm = ModelRun.Norm(model.Values(ParameterOf(model, end.Name).Value));
            Assert.Equal(end.Value.GetDouble(), norm, backend == "reference" ? 1e-8 : 5e-3);
        }
    }

    [Theory]
    [MemberData(nameof(Backends))]
    public void Gradients_of_adapters_on_query_and_value_are_pytorchs(string backend)
    {
        TestData.Require(StoriesReference.Folder);
        Compare<StoriesLoraQueryValue>(LoraFixture.QueryAndValue(), backend);
    }

    [Theory]
    [MemberData(nameof(Backends))]
    public void Gradients_of_stabilized_adapters_on_all_projections_are_pytorchs(string backend)
    {
        TestData.Require(StoriesReference.Folder);
        Compare<StoriesLoraStabilized>(LoraFixture.AllProjections(), backend);
    }

    [Theory]
    [MemberData(nameof(Backends))]
    public void Warm_up_cosine_clip_and_decay_are_pytorchs(string backend)
    {
        TestData.Require(StoriesReference.Folder);
        LoraFixture fixture = LoraFixture.AllProjections();
        LoraRun run = fixture.Run!;
        using var model = Start<StoriesLoraStabilized>(fixture, backend);
        Batches data = DataOf(fixture.Inputs, fixture.TargetIds);
        var trainer = new Trainer(model, data, new TrainingOptions
        {
            Steps = run.Horizon - 1,
            LearningRate = run.PeakRate,
            Schedule = Schedule.Cosine,
            WarmupSteps = run.Warmup,
            WeightDecay = run.WeightDecay,
            MaximumGradientNorm = run.Clip,
        });

        double tolerance = backend == "reference" ? 1e-8 : 2e-3;
        for (int step = 0; step < run.Steps; step++)
        {
            StepMetrics metrics = trainer.Step();
            Assert.Equal(step + 1, metrics.Step);
            Assert.Equal(run.Rates[step], metrics.LearningRate, 1e-12);
            Assert.Equal(run.Losses[step], metrics.Loss, tolerance);
            Assert.Equal(run.GradientNorms[step], metrics.GradientNorm, tolerance * 10);
        }

        Assert.Equal(run.Losses[^1], new Evaluator(model, data).Evaluate().Loss, tolerance);
        Assert.All(run.EndNorms, end => Assert.Equal(end.Value, ModelRun.Norm(model.Values(model.Named(Plain(end.Key)).Value)), tolerance));
    }

    [Fact]
    public void Frozen_weights_in_bfloat16_take_half_the_memory_and_change_the_losses_little()
    {
        TestData.Require(StoriesReference.Folder);
        JsonElement reference = StoriesReference.Training();
        (int[][] inputs, int[][] targets) = ModelRun.Shift(StoriesReference.Rows(reference.GetProperty("rows")));
        using var full = Model.ForTraining<StoriesLoraQueryValue>(ModelRun.PlanFor(inputs), TBackends.Create("cpu-1"));
        using var half = Model.ForTraining<StoriesLoraBFloat16>(ModelRun.PlanFor(inputs), TBackends.Create("cpu-2"));
        BaseWeights.Load(half, TestData.PathOf(StoriesReference.Folder));
        foreach (LoraAdapter adapter in half.Adapters.Cast<LoraAdapter>())
        {
            int offset = adapter.Path.EndsWith(".Value", StringComparison.Ordinal) ? 5 : 0;
            half.Backend.Write(adapter.A, ClosedForm.LoraA(4, adapter.A.Value.Columns, adapter.Layer, offset));
        }

        var trainer = new Trainer(half, DataOf(inputs, targets), new TrainingOptions { Steps = 20, LearningRate = 5e-3, Schedule = Schedule.Constant, MaximumGradientNorm = 0 });
        double[] losses = [.. Enumerable.Range(0, 20).Select(_ => trainer.Step().Loss)];

        Assert.InRange(half.Plan.Cost.FrozenWeights, full.Plan.Cost.FrozenWeights / 2, full.Plan.Cost.FrozenWeights * 0.75);
        double[] expected = StoriesReference.Numbers(reference.GetProperty("lora").GetProperty("losses"));
        Assert.All(expected.Zip(losses), pair => Assert.Equal(pair.First, pair.Second, 0.05));
        Assert.NotEqual(expected[0], losses[0], 1e-5);
    }

    private static void Compare<T>(LoraFixture fixture, string backend)
        where T : TransformerModel, IModel<T>
    {
        using T model = Start<T>(fixture, backend);

        double loss = model.Differentiate(fixture.Inputs, fixture.TargetIds);

        double tolerance = backend == "reference" ? 1e-9 : 1e-4;
        Assert.All(model.Adapters, a => Assert.Equal(fixture.Scale, a.Scale, 1e-6));
        Assert.Equal(fixture.Loss, loss, tolerance);
        Assert.Equal(fixture.Parameters.Length, model.Trainable.Count());
        foreach (FixtureParameter parameter in fixture.Parameters)
        {
            double[] gradient = model.Values(model.Named(Plain(parameter.Name)).Gradient);
            double largest = gradient.Max(Math.Abs);
            Assert.True(Math.Abs(ModelRun.Norm(gradient) - parameter.Norm) <= tolerance * parameter.Norm, $"{parameter.Name}: norm {ModelRun.Norm(gradient)}, PyTorch's {parameter.Norm}");
            double[] expected = parameter.Gradient ?? parameter.First;
            for (int i = 0; i < expected.Length; i++)
            {
                Assert.True(Math.Abs(expected[i] - gradient[i]) <= tolerance * largest, $"{parameter.Name}[{i}] is {gradient[i]}, PyTorch's {expected[i]}");
            }
        }
    }

    private static T Start<T>(LoraFixture fixture, string backend)
        where T : TransformerModel, IModel<T>
    {
        T model = Model.ForTraining<T>(ModelRun.PlanFor(fixture.Inputs), TBackends.Create(backend));
        BaseWeights.Load(model, TestData.PathOf(StoriesReference.Folder));
        foreach (FixtureParameter parameter in fixture.Parameters)
        {
            model.Backend.Write(model.Named(Plain(parameter.Name)).Value, fixture.Values(parameter));
        }

        return model;
    }

    private static void CheckGradients(TransformerModel model, JsonElement norms, string backend)
    {
        foreach (JsonProperty expected in norms.EnumerateObject())
        {
            double norm = ModelRun.Norm(model.Values(ParameterOf(model, expected.Name).Gradient));
            double value = expected.Value.GetDouble();
            Assert.True(Math.Abs(norm - value) <= Math.Max((backend == "reference" ? 1e-9 : 1e-4) * value, 1e-7), $"{expected.Name}: {norm}, PyTorch's {value}");
        }
    }

    /// <summary>The parameter that lora_reference.json calls "3.q_proj.A".</summary>
    private static Parameter ParameterOf(TransformerModel model, string name)
    {
        string[] parts = name.Split('.');
        return model.Named($"model.layers.{parts[0]}.self_attn.{parts[1]}.lora_{parts[2]}.weight");
    }

    /// <summary>The runtime's name of a parameter that PEFT may have given its prefix.</summary>
    private static string Plain(string name) => name.StartsWith("base_model.model.", StringComparison.Ordinal) ? name["base_model.model.".Length..] : name;

    private static Batches DataOf(int[][] inputs, int[][] targets) =>
        new([.. inputs.Zip(targets, (i, t) => new Example(i, t))], inputs.Length, inputs[0].Length, seed: null);
}
