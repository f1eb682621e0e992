using ModelCompiler.Models;
using ModelCompiler.Planning;

namespace ModelCompiler.Tests.Planning;

/// <summary>Plans for published settings; docs/fit.md has the commands that print them. Profiles are the CPU's: fp32 activations, 60 MiB of overhead and more for adapters.</summary>
public class FitFiguresTests
{
    private const long MiB = 1L << 20;
    private const long GiB = 1L << 30;
    private static readonly BackendProfile s_cpu = BackendProfile.Cpu(2);

    /// <summary>
    /// memory-gelato's example (its README): Llama-3-8B in 24,100 MiB, sequences of 1,024, comes out there at Int8, batch 2, accumulation 8, rank 56 of all
    /// linear projections. With the same choices and its own margin of 2.5 % a larger rank fits.
    /// </summary>
    [Theory]
    [InlineData(Optimizer.AdamW)]
    [InlineData(Optimizer.AdamW8Bit)]
    public void A_larger_rank_than_in_gelatos_example_fits(Optimizer optimizer)
    {
        FitOptions options = new()
        {
            Sequence = 1024,
            Batch = 2,
            GradientAccumulation = 8,
            Checkpointing = Checkpointing.Block,
            CheckpointEvery = 1,
            Storage = WeightFormat.Int8(64),
            Optimizer = optimizer,
        };
        FitResult found = Llama3_8B_QLora.Fit((long)(0.975m * 24_100 * MiB), FitObjective.LargestRank, options, s_cpu);
        Assert.True(found.Best!.Plan.Rank > 56);
        Assert.True(found.Best.Plan.Rank < TrainingPlan.Fit(Llama3_8B_QLora.Tables, 24_100 * MiB, FitObjective.LargestRank, s_cpu, new() { Sequence = 1024 }).Best!.Plan.Rank);
    }

    /// <summary>QDyLoRA's Falcon-40B in 32 GB and QLoRA's LLaMA-65B in 48 GB, r = 64 on all linear projections, 1 x 512 tokens, head in 16 bits.</summary>
    [Theory]
    [InlineData(nameof(Falcon_40B_QDyLora), 32)]
    [InlineData(nameof(Llama_65B_QLora), 48)]
    public void Large_models_fit_the_published_devices(string recipe, int gib)
    {
        Gallery.Register();
        Assert.True(ModelRegistry.TryFind(recipe, out ModelEntry? entry));
        Assert.All(entry.Tables.Slots, slot => Assert.Equal(64, slot.Rank));
        foreach (Optimizer optimizer in Enum.GetValues<Optimizer>())
        {
            var plan = new TrainingPlan { Batch = 1, Sequence = 512, Checkpointing = Checkpointing.Block, Optimizer = optimizer };
            Assert.True(MemoryPlanner.Train(entry.Tables, plan, s_cpu).Cost.Peak <= gib * GiB);

            FitOptions options = new() { Batch = 1, Checkpointing = Checkpointing.Block, CheckpointEvery = 1, Optimizer = optimizer, Storage = WeightFormat.NF4(64, true) };
            FitResult longest = TrainingPlan.Fit(entry.Tables, gib * GiB, FitObjective.LongestSequence, s_cpu, options);
            Assert.True(longest.Best!.Plan.Sequence >= 512);
        }
    }
}
