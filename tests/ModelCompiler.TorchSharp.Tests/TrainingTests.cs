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
    public void Quantised_weights_and_every_adapter_have_the_losses_of_the_cpu_backend()
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

    /// <summary>A thousand steps after the first epoch, which makes the tables that stay.</summary>
    [Fact]
    public void Steps_leave_no_tensor_behind()
    {
        using StoriesLoraDropout model = Create<StoriesLoraDropout>(SmallRun.Plan() with { Batch = 1, Sequence = 16 }, new TorchBackend());
        var trainer = new Trainer(model, new([.. SmallRun.Examples.Take(4)], 1, 16, seed: null), SmallRun.Options with { Steps = 1004, Accumulate = 1 });
        Run(trainer, steps: 4);
        long before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;

        Run(trainer, steps: 1000);

        Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }

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
        allocated = model.Kernels.AllocatedBytes + model.Kernels.PagedBytes;
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
