using ModelCompiler.Adapters;
using ModelCompiler.Backends.Cpu;
using ModelCompiler.Generation;
using ModelCompiler.Models;
using ModelCompiler.Planning;
using ModelCompiler.Tensors;
using ModelCompiler.Tests.Models;
using ModelCompiler.Training;

namespace ModelCompiler.Tests.Training;

/// <summary>What a plan predicts is what a run takes.</summary>
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
        using var native = new NativeMemoryScope();
        using (StoriesLoraDropout model = SmallRun.CreateModel(threads, checkpointing, optimizer))
        {
            var trainer = new Trainer(model, SmallRun.Data, SmallRun.Options, SmallRun.HeldOut);
            trainer.Run();

            Assert.Equal(predicted, model.Plan.Cost.Allocated);
            Assert.Equal(predicted, model.Backend.AllocatedBytes + model.Backend.PagedBytes);
            Assert.Equal(optimizer == Optimizer.PagedAdamW, model.Backend.PagedBytes > 0);
            Assert.Equal(predicted, native.BytesInUse);
            Assert.Equal(predicted, native.PeakBytes);
        }

        Assert.Equal(0, native.BytesInUse);
    }

    [Fact]
    public void Native_memory_of_full_training_and_of_generation_is_the_plans_to_the_byte()
    {
        using var native = new NativeMemoryScope();
        using (Stories260K model = SmallRun.CreateModel<Stories260K>(threads: 2))
        {
            new Trainer(model, SmallRun.Data, SmallRun.Options with { Steps = 2 }).Run();
            Assert.Equal(model.Plan.Cost.Arena, native.BytesInUse);
        }

        using var serving = Stories260K.ForGeneration(32, backend: new CpuBackend(2));
        Initialization.All(serving, seed: 5);
        new TextGenerator(serving).Generate([1, 2, 3], new() { MaximumTokens = 8 });
        Assert.Equal(serving.Plan.Cost.Arena, native.BytesInUse);
    }

    [Fact]
    public void Native_memory_of_LaMDA_is_the_plans_to_the_byte_while_columns_freeze()
    {
        TakesWhatIsPlanned<StoriesLamda>();
        TakesWhatIsPlanned<StoriesLamdaNf4>();
    }

    private static void TakesWhatIsPlanned<T>()
        where T : TransformerModel, IModel<T>
    {
        long predicted = MemoryPlanner.Train(T.Tables, SmallRun.Plan(), BackendProfile.Cpu(2)).Cost.Allocated;
        using var native = new NativeMemoryScope();
        using T model = SmallRun.CreateModel<T>(threads: 2);
        new Trainer(model, SmallRun.Data, SmallRun.Options).Run();

        Assert.All(model.Adapters.Cast<LamdaAdapter>(), adapter => Assert.Equal(0, adapter.B.UpdateWindow.Columns));
        Assert.Equal(predicted, native.BytesInUse);
        Assert.Equal(predicted, native.PeakBytes);
    }
}
