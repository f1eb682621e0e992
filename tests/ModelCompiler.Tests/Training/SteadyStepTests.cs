using ModelCompiler.Models;
using ModelCompiler.Planning;
using ModelCompiler.Tests.Models;
using ModelCompiler.Training;

namespace ModelCompiler.Tests.Training;

/// <summary>Tests that read the runtime's own counter of managed memory, which is the process's: nothing runs beside them.</summary>
[CollectionDefinition(nameof(ManagedMemory), DisableParallelization = true)]
public sealed class ManagedMemory;

/// <summary>A steady step takes nothing from the managed heap.</summary>
[Collection(nameof(ManagedMemory))]
public class SteadyStepTests
{
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
}
