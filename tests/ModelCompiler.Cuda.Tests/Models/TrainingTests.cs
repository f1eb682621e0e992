using ModelCompiler.Backends;
using ModelCompiler.Backends.Cpu;
using ModelCompiler.Cuda.Tests.Emulation;
using ModelCompiler.Cuda.Tests.Kernels;
using ModelCompiler.Generation;
using ModelCompiler.Models;
using ModelCompiler.Planning;
using ModelCompiler.Tests.Models;
using ModelCompiler.Tests.Training;
using ModelCompiler.Training;

namespace ModelCompiler.Cuda.Tests.Models;

/// <summary>Whole runs on the emulated GPU: the CPU backend's losses, the plan's memory, and graphs that change nothing.</summary>
public class TrainingTests
{
    private const int Steps = 4;

    internal static TrainingPlan Plan => SmallRun.Plan() with { Batch = 2, Sequence = 16, ChunkRows = 20 };

    private static Data.Batches Examples => new([.. SmallRun.Examples.Take(4)], 2, 16, seed: 9);

    [Theory]
    [InlineData(Checkpointing.None, Optimizer.AdamW)]
    [InlineData(Checkpointing.Selective, Optimizer.AdamW8Bit)]
    [InlineData(Checkpointing.Block, Optimizer.PagedAdamW)]
    public void A_run_has_the_losses_of_the_cpu_backend(Checkpointing checkpointing, Optimizer optimizer)
    {
        HostClang.Require();
        Compare<StoriesLoraDropout>(Plan with { Checkpointing = checkpointing, Optimizer = optimizer, PageElements = 300, MinimumElementsForPaging = 300 });
    }

    [Fact]
    public void Every_adapter_has_the_losses_of_the_cpu_backend()
    {
        HostClang.Require();
        Compare<StoriesNf4>(Plan, steps: 2);
        Compare<StoriesQaLora>(Plan, steps: 2);
        Compare<StoriesLamdaNf4>(Plan, steps: 2);
        Compare<StoriesDoraBFloat16>(Plan, steps: 2);
        Compare<StoriesAdaLora>(Plan, steps: 2);
        Compare<Stories260K_L1ra>(Plan with { MoveRanks = true }, steps: 2);
        Compare<GptNanoSortDora>(Plan with { Sequence = 11 }, steps: 2);
        Compare<StoriesLoraDropout>(Plan with { SavedActivations = Storage.BFloat16 }, steps: 2);
    }

    /// <summary>Activations in 16 bits: 8 bits of each product's factors are lost, and the loss, a mean of thousands of them, moves by less than 1 %.</summary>
    [Fact]
    public void In_bfloat16_the_losses_are_close()
    {
        HostClang.Require();
        double[] expected = Losses<StoriesLoraDropout>(Plan, new CpuBackend(1), Steps);
        double[] losses = Losses<StoriesLoraDropout>(Plan, new EmulatedGpu(DType.BFloat16).Backend, Steps);
        Assert.All(expected.Zip(losses), pair => Assert.Equal(pair.First, pair.Second, 0.01 * pair.First));
        Assert.NotEqual(expected[0], losses[0], 1e-7);
    }

    /// <summary>Rounding each of a 64-wide model's activations to 8 bits moves its gradients by a few percent, in no direction of its own.</summary>
    [Fact]
    public void In_bfloat16_the_gradients_are_close()
    {
        HostClang.Require();
        Dictionary<string, double[]> expected = Gradients(new CpuBackend(1));
        Dictionary<string, double[]> actual = Gradients(new EmulatedGpu(DType.BFloat16).Backend);
        foreach ((string name, double[] gradient) in expected)
        {
            double norm = ModelRun.Norm(gradient);
            Assert.InRange(ModelRun.Norm(gradient.Zip(actual[name], (a, b) => a - b)) / norm, 1e-4, 0.06);
            Assert.Equal(norm, ModelRun.Norm(actual[name]), 0.03 * norm);
        }

        static Dictionary<string, double[]> Gradients(IBackend backend)
        {
            using StoriesLoraDropout model = Create<StoriesLoraDropout>(Plan with { Sequence = 20 }, backend);
            foreach (Parameter parameter in model.Trainable)
            {
                Initialization.Normal(model, parameter, seed: 7, deviation: 0.1);
            }

            SmallRun.Gradients(model);
            return model.Trainable.ToDictionary(p => p.Path, p => model.Values(p.Gradient));
        }
    }

    /// <summary>The arena is the only device memory, is what the plan says to the byte, and a step takes none.</summary>
    [Theory]
    [InlineData(DType.Float32)]
    [InlineData(DType.BFloat16)]
    public void The_plan_is_all_device_memory(DType activation)
    {
        HostClang.Require();
        var gpu = new EmulatedGpu(activation);
        using StoriesLoraDropout model = Create<StoriesLoraDropout>(Plan, gpu.Backend);
        var trainer = new Trainer(model, Examples, SmallRun.Options with { Steps = 3 });
        trainer.Step();
        MemoryCost cost = StoriesLoraDropout.MemoryCost(Plan, BackendProfile.Cuda(activation));
        Assert.Equal([$"cuMemAlloc({cost.Arena})"], gpu.Driver.Calls.Where(call => call.StartsWith("cuMemAlloc", StringComparison.Ordinal)));
        Assert.Equal(cost.Arena, model.Backend.AllocatedBytes);

        gpu.Driver.Calls.Clear();
        trainer.Step();
        trainer.Step();
        Assert.DoesNotContain(gpu.Driver.Calls, call => call.Contains("Alloc", StringComparison.Ordinal));
    }

    /// <summary>Steps of one shape come from graphs from their third time on, and have the bits of steps that do not.</summary>
    [Fact]
    public void Graphs_change_nothing()
    {
        HostClang.Require();
        var with = new EmulatedGpu(DType.Float32);
        var without = new EmulatedGpu(DType.Float32);
        without.Backend.UsesGraphs = false;
        (float[] replayed, int graphs, int launches) = Run(with);
        (float[] started, int none, int all) = Run(without);
        Assert.Equal(started, replayed);
        Assert.Equal(0, none);
        Assert.InRange(graphs, 2, 20);
        Assert.True(launches <= all / 2, $"{launches} of {all} kernels were started by themselves.");

        // Six steps over the same examples in the same order; what is zeroed is not counted.
        static (float[] State, int Graphs, int Launches) Run(EmulatedGpu gpu)
        {
            using StoriesLoraDropout model = Create<StoriesLoraDropout>(Plan, gpu.Backend);
            var data = new Data.Batches([.. SmallRun.Examples.Take(2)], 2, 16, seed: null);
            var trainer = new Trainer(model, data, SmallRun.Options with { Steps = 6, GradientAccumulation = 1 });
            for (int step = 0; step < 6; step++)
            {
                trainer.Step();
            }

            return (SmallRun.State(model), gpu.Backend.Graphs, gpu.Driver.Started);
        }
    }

    [Fact]
    public void Generates_the_cpu_backends_tokens()
    {
        HostClang.Require();
        int[] Tokens(IBackend backend)
        {
            using Stories260K model = Model.ForGeneration<Stories260K>(24, backend: backend);
            Initialization.All(model, seed: 5);
            return [.. new TextGenerator(model).Generate([1, 40, 300, 7], new GenerationOptions { MaximumTokens = 12 }).Tokens];
        }

        Assert.Equal(Tokens(new CpuBackend(1)), Tokens(new EmulatedGpu(DType.Float32).Backend));
    }

    private static void Compare<T>(TrainingPlan plan, int steps = Steps)
        where T : TransformerModel, IModel<T>
    {
        double[] expected = Losses<T>(plan, new CpuBackend(1), steps);
        double[] losses = Losses<T>(plan, new EmulatedGpu(DType.Float32).Backend, steps);
        Assert.All(expected.Zip(losses), pair => Assert.True(Math.Abs(pair.First - pair.Second) <= 1e-4, $"{typeof(T).Name}: {pair.Second}, on the CPU {pair.First}"));
    }

    internal static double[] Losses<T>(TrainingPlan plan, IBackend backend, int steps)
        where T : TransformerModel, IModel<T>
    {
        using T model = Create<T>(plan, backend);
        int vocabulary = model.Tables.Vocabulary;
        Data.Example[] examples = [.. SmallRun.Examples.Take(4).Select(e => new Data.Example(
            [.. e.Tokens.Take(plan.Sequence).Select(t => t % vocabulary)], [.. e.Targets.Take(plan.Sequence).Select(t => t < 0 ? t : t % vocabulary)]))];
        var trainer = new Trainer(model, new Data.Batches(examples, plan.Batch, plan.Sequence, seed: 9), SmallRun.Options with { Steps = steps });
        return [.. Enumerable.Range(0, steps).Select(_ => trainer.Step().Loss)];
    }

    private static T Create<T>(TrainingPlan plan, IBackend backend)
        where T : TransformerModel, IModel<T>
    {
        T model = Model.ForTraining<T>(plan, backend);
        Initialization.All(model, seed: 5);
        return model;
    }
}
