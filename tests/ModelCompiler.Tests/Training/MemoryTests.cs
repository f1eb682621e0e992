using ModelCompiler.Adapters;
using ModelCompiler.Backends.Cpu;
using ModelCompiler.Generation;
using ModelCompiler.Models;
using ModelCompiler.Planning;
using ModelCompiler.Tensors;
using ModelCompiler.Tests.Models;
using ModelCompiler.Training;

namespace ModelCompiler.Tests.Training;

/// <summary>Counters of the whole process: nothing else runs beside these tests.</summary>
[CollectionDefinition(nameof(ProcessCounters), DisableParallelization = true)]
public sealed class ProcessCounters;

/// <summary>What a plan predicts is what a run takes, and a steady step takes nothing.</summary>
[Collection(nameof(ProcessCounters))]
public class MemoryTests
{
    public static TheoryData<int, Checkpointing, Optimizer> Plans => new()
    {
        { 1, Checkpointing.None, Optimizer.AdamW },
        { 1, Checkpointing.Selective, Optimizer.AdamW8Bit },
        { 2, Checkpointing.Selective, Optimizer.AdamW },
        { 2, Checkpointing.Block, Optimizer.AdamW },
        { 3, Checkpointing.None, Optimizer.PagedAdamW },
    };

    [Theory]
    [MemberData(nameof(Plans))]
    public void Native_memory_of_whole_steps_is_the_plans_to_the_byte(int threads, Checkpointing checkpointing, Optimizer optimizer)
    {
        TrainingPlan options = SmallRun.Plan(checkpointing, optimizer);
        long predicted = StoriesLoraDropout.MemoryCost(options, BackendProfile.Cpu(threads)).Allocated;
        CollectNative();
        long before = NativeAllocator.BytesInUse;
        NativeAllocator.ResetPeak();

        using (StoriesLoraDropout model = SmallRun.CreateModel(threads, checkpointing, optimizer))
        {
            var trainer = new Trainer(model, SmallRun.Data, SmallRun.Options, SmallRun.HeldOut);
            trainer.Run();

            Assert.Equal(predicted, model.Plan.Cost.Allocated);
            Assert.Equal(predicted, model.Kernels.AllocatedBytes + model.Kernels.PagedBytes);
            Assert.Equal(optimizer == Optimizer.PagedAdamW, model.Kernels.PagedBytes > 0);
            Assert.Equal(predicted, NativeAllocator.BytesInUse - before);
            Assert.Equal(predicted, NativeAllocator.PeakBytes - before);
        }

        Assert.Equal(before, NativeAllocator.BytesInUse);
    }

    [Fact]
    public void Native_memory_of_full_training_and_of_generation_is_the_plans_to_the_byte()
    {
        CollectNative();
        long before = NativeAllocator.BytesInUse;
        using (Stories260K model = SmallRun.CreateModel<Stories260K>(threads: 2))
        {
            new Trainer(model, SmallRun.Data, SmallRun.Options with { Steps = 2 }).Run();
            Assert.Equal(model.Plan.Cost.Arena, NativeAllocator.BytesInUse - before);
        }

        using var serving = Stories260K.ForGeneration(32, backend: new CpuBackend(2));
        Initialization.All(serving, seed: 5);
        new TextGenerator(serving).Generate([1, 2, 3], new() { MaximumTokens = 8 });
        Assert.Equal(serving.Plan.Cost.Arena, NativeAllocator.BytesInUse - before);
    }

    [Fact]
    public void Native_memory_of_LaMDA_is_the_plans_to_the_byte_while_columns_freeze()
    {
        TakesWhatIsPlanned<StoriesLamda>();
        TakesWhatIsPlanned<StoriesLamdaNf4>();
    }

    [Theory]
    [InlineData(1, Optimizer.AdamW)]
    [InlineData(2, Optimizer.AdamW8Bit)]
    [InlineData(1, Optimizer.PagedAdamW)]
    public void A_steady_step_allocates_no_managed_memory(int threads, Optimizer optimizer) => AllocatesNothing<StoriesLoraDropout>(threads, optimizer);

    [Fact]
    public void A_steady_step_of_LaMDA_allocates_no_managed_memory() => AllocatesNothing<StoriesLamda>(threads: 2, Optimizer.AdamW);

    // Steps 61 to 80 of 100 are those of the last allocations, and of masks that are fixed.
    [Fact]
    public void A_steady_step_of_AdaLoRA_allocates_no_managed_memory() => AllocatesNothing<StoriesAdaLora>(threads: 2, Optimizer.AdamW, steps: 100);

    private static void AllocatesNothing<T>(int threads, Optimizer optimizer, int steps = 1000)
        where T : TransformerModel, IModel<T>
    {
        using T model = SmallRun.CreateModel<T>(threads, optimizer: optimizer);
        var trainer = new Trainer(model, SmallRun.Data, SmallRun.Options with { Steps = steps });
        for (int step = 0; step < 60; step++)
        {
            // Every shape, and the runtime's own warm-up of what runs often.
            trainer.Step();
        }

        // The runtime may allocate now and then, such as when it compiles what runs often; a step would each time.
        long least = long.MaxValue;
        for (int attempt = 0; attempt < 20 && least > 0; attempt++)
        {
            long before = GC.GetTotalAllocatedBytes(precise: true);
            trainer.Step();
            least = Math.Min(least, GC.GetTotalAllocatedBytes(precise: true) - before);
        }

        Assert.Equal(0, least);
    }

    private static void TakesWhatIsPlanned<T>()
        where T : TransformerModel, IModel<T>
    {
        CollectNative();
        long predicted = MemoryPlanner.Train(T.Tables, SmallRun.Plan(), BackendProfile.Cpu(2)).Cost.Allocated;
        long before = NativeAllocator.BytesInUse;
        NativeAllocator.ResetPeak();
        using T model = SmallRun.CreateModel<T>(threads: 2);
        new Trainer(model, SmallRun.Data, SmallRun.Options).Run();

        Assert.All(model.Adapters.Cast<LamdaAdapter>(), adapter => Assert.Equal(0, adapter.B.UpdateWindow.Columns));
        Assert.Equal(predicted, NativeAllocator.BytesInUse - before);
        Assert.Equal(predicted, NativeAllocator.PeakBytes - before);
    }

    /// <summary>Arenas that other tests left to the finaliser are freed now and not in the midst of a measurement.</summary>
    private static void CollectNative()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
    }
}
