using ModelCompiler.Backends;
using ModelCompiler.Backends.Cpu;
using ModelCompiler.Models;
using ModelCompiler.Planning;
using ModelCompiler.Tests.Models;
using ModelCompiler.Tests.Training;
using ModelCompiler.Training;
using TorchSharp;

namespace ModelCompiler.Torch.Tests;

/// <summary>Whole runs: the CPU backend's losses, the plan's memory, and nothing left over.</summary>
public class TrainingTests
{
    public static TheoryData<Checkpointing, Optimizer> Plans => new()
    {
        { Checkpointing.None, Optimizer.AdamW },
        { Checkpointing.Selective, Optimizer.AdamW8Bit },
        { Checkpointing.Block, Optimizer.PagedAdamW },
    };

    [Theory]
    [MemberData(nameof(Plans))]
    public void A_run_has_the_losses_of_the_cpu_backend_in_the_plans_memory(Checkpointing checkpointing, Optimizer optimizer)
    {
        TrainingPlan plan = SmallRun.Plan(checkpointing, optimizer);
        double[] expected = Losses<StoriesLoraDropout>(plan, new CpuBackend(1), out _);

        double[] losses = Losses<StoriesLoraDropout>(plan, new TorchBackend(), out long allocated);

        Assert.All(expected.Zip(losses), pair => Assert.Equal(pair.First, pair.Second, 1e-4));
        Assert.Equal(StoriesLoraDropout.MemoryCost(plan, BackendProfile.TorchSharp(isHostMemory: true)).Allocated, allocated);
    }

    [Fact]
    public void Quantized_weights_and_every_adapter_have_the_losses_of_the_cpu_backend()
    {
        Compare<StoriesNf4>();
        Compare<StoriesInt8>();
        Compare<StoriesQaLoraInt4>();
        Compare<StoriesLamdaNf4>();
        Compare<StoriesDoraNf4>();
        Compare<StoriesAdaLoraNf4>();
        Compare<Stories260K>();
    }

    [Fact]
    public void Saved_activations_in_bfloat16_have_the_losses_of_the_cpu_backend()
    {
        TrainingPlan plan = SmallRun.Plan() with { Activations = Storage.BFloat16 };
        double[] expected = Losses<StoriesLoraDropout>(plan, new CpuBackend(1), out _);
        double[] losses = Losses<StoriesLoraDropout>(plan, new TorchBackend(), out long allocated);
        Assert.All(expected.Zip(losses), pair => Assert.Equal(pair.First, pair.Second, 1e-3));
        Assert.Equal(StoriesLoraDropout.MemoryCost(plan, BackendProfile.TorchSharp(isHostMemory: true)).Allocated, allocated);
    }

    /// <summary>Activations in 16 bits: 8 bits of each product's factors are lost, and the loss, a mean of thousands of them, moves by less than 1 %.</summary>
    [Fact]
    public void In_bfloat16_the_losses_are_close_in_the_plans_memory()
    {
        double[] expected = Losses<StoriesLoraDropout>(SmallRun.Plan(), new CpuBackend(1), out _);
        double[] losses = Losses<StoriesLoraDropout>(SmallRun.Plan(), InBFloat16(), out long allocated);
        Assert.All(expected.Zip(losses), pair => Assert.Equal(pair.First, pair.Second, 0.01 * pair.First));
        Assert.NotEqual(expected[0], losses[0], 1e-7);
        long predicted = StoriesLoraDropout.MemoryCost(SmallRun.Plan(), BackendProfile.TorchSharp(isHostMemory: true, DType.BFloat16)).Allocated;
        Assert.Equal(predicted, allocated);
        Assert.True(predicted < StoriesLoraDropout.MemoryCost(SmallRun.Plan(), BackendProfile.TorchSharp(isHostMemory: true)).Allocated);
    }

    /// <summary>Rounding each of a 64-wide model's activations to 8 bits moves its gradients by a few percent, in no direction of its own.</summary>
    [Fact]
    public void In_bfloat16_the_gradients_are_close()
    {
        Compare<StoriesLoraDropout>();
        Compare<Stories260K>();

        static void Compare<T>()
            where T : TransformerModel, IModel<T>
        {
            Dictionary<string, double[]> expected = Gradients<T>(new CpuBackend(1));
            Dictionary<string, double[]> actual = Gradients<T>(InBFloat16());
            foreach ((string name, double[] gradient) in expected)
            {
                double norm = ModelRun.Norm(gradient);
                Assert.InRange(ModelRun.Norm(gradient.Zip(actual[name], (a, b) => a - b)) / norm, 1e-4, 0.06);
                Assert.Equal(norm, ModelRun.Norm(actual[name]), 0.03 * norm);
            }
        }

        static Dictionary<string, double[]> Gradients<T>(IBackend backend)
            where T : TransformerModel, IModel<T>
        {
            using T model = Create<T>(SmallRun.Plan() with { Batch = 2, Sequence = 20, ChunkRows = 20 }, backend);
            foreach (Parameter parameter in model.Trainable)
            {
                Initialization.Normal(model, parameter, seed: 7, deviation: 0.1);
            }

            SmallRun.Gradients(model);
            return model.Trainable.ToDictionary(p => p.Path, p => model.Values(p.Gradient));
        }
    }

    /// <summary>Roundings of single steps add up: the first four are compared.</summary>
    [Fact]
    public void Quantized_weights_and_every_adapter_train_in_bfloat16()
    {
        Compare<StoriesNf4>();
        Compare<StoriesInt8>();
        Compare<StoriesQaLoraInt4>();
        Compare<StoriesLamdaNf4>();
        Compare<StoriesDoraNf4>();
        Compare<StoriesDoraBFloat16>();
        Compare<StoriesAdaLoraNf4>();
        Compare<Stories260K>();

        static void Compare<T>()
            where T : TransformerModel, IModel<T>
        {
            double[] expected = Losses<T>(SmallRun.Plan(), new CpuBackend(1), out _);
            double[] losses = Losses<T>(SmallRun.Plan(), InBFloat16(), out _);
            Assert.All(expected.Zip(losses).Take(4), pair => Assert.Equal(pair.First, pair.Second, 0.01 * pair.First));
            Assert.NotEqual(expected[0], losses[0], 1e-7);
            Assert.True(losses[^1] < losses[0], $"{typeof(T).Name}: from {losses[0]} to {losses[^1]}");
        }
    }

    [Fact]
    public void Activations_of_another_type_are_refused() => Assert.Throws<ArgumentException>(() => new TorchBackend(activation: DType.Float64));

    /// <summary>A thousand steps after the first epoch, which makes the tables that stay.</summary>
    [Fact]
    public void Steps_leave_no_tensor_behind()
    {
        using StoriesLoraDropout model = Create<StoriesLoraDropout>(SmallRun.Plan() with { Batch = 1, Sequence = 16 }, new TorchBackend());
        var trainer = new Trainer(model, new([.. SmallRun.Examples.Take(4)], 1, 16, seed: null), SmallRun.Options with { Steps = 1004, GradientAccumulation = 1 });
        Run(trainer, steps: 4);
        long before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;

        Run(trainer, steps: 1000);

        Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }

    private static TorchBackend InBFloat16() => new(activation: DType.BFloat16);

    private static void Run(Trainer trainer, int steps)
    {
        for (int step = 0; step < steps; step++)
        {
            trainer.Step();
        }
    }

    private static void Compare<T>()
        where T : TransformerModel, IModel<T>
    {
        double[] expected = Losses<T>(SmallRun.Plan(), new CpuBackend(1), out _);
        double[] losses = Losses<T>(SmallRun.Plan(), new TorchBackend(), out _);
        Assert.All(expected.Zip(losses), pair => Assert.Equal(pair.First, pair.Second, 1e-3));
    }

    private static double[] Losses<T>(TrainingPlan plan, IBackend backend, out long allocated)
        where T : TransformerModel, IModel<T>
    {
        using T model = Create<T>(plan, backend);
        var trainer = new Trainer(model, SmallRun.Data, SmallRun.Options);
        allocated = model.Backend.AllocatedBytes + model.Backend.PagedBytes;
        return [.. Enumerable.Range(0, SmallRun.Options.Steps).Select(_ => trainer.Step().Loss)];
    }

    private static T Create<T>(TrainingPlan plan, IBackend backend)
        where T : TransformerModel, IModel<T>
    {
        T model = Model.ForTraining<T>(plan, backend);
        Initialization.All(model, seed: 5);
        return model;
    }
}
