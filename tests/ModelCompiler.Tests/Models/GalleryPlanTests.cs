using ModelCompiler.Models;
using ModelCompiler.Planning;

namespace ModelCompiler.Tests.Models;

/// <summary>Plans of all models of the gallery against the most that is live at once in a step.</summary>
public class GalleryPlanTests
{
    private const double Slack = 0.03;

    public static TheoryData<string> Names()
    {
        Gallery.Register();
        return new(ModelRegistry.All.Where(e => e.Assembly == typeof(Gallery).Assembly).Select(e => e.Tables.Name));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void The_arena_is_within_3_percent_of_what_is_live_under_every_policy(string name)
    {
        Assert.True(ModelRegistry.TryFind(name, out ModelEntry? entry));
        foreach ((int batch, int sequence) in new[] { (1, 64), (1, 512), (4, 256), (4, 2048), (32, 128) })
        {
            foreach ((Checkpointing policy, int every) in new[] { (Checkpointing.None, 1), (Checkpointing.Selective, 1), (Checkpointing.Block, 1), (Checkpointing.Block, 2), (Checkpointing.Block, 3), (Checkpointing.Block, 8) })
            {
                var choices = new TrainingPlan { Batch = batch, Sequence = Math.Min(sequence, entry.Tables.Context), Checkpointing = policy, CheckpointEvery = every };
                Plan plan = MemoryPlanner.Train(entry.Tables, choices, BackendProfile.Cpu(2));

                // The fixed overhead would hide what small models waste.
                long bound = LiveSet.LowerBound(plan) - plan.Cost.Overhead;
                Assert.True(plan.Cost.Arena >= bound && plan.Cost.Arena <= (1 + Slack) * bound, $"{plan.Cost.Arena} against {bound} of {choices}");
            }
        }
    }
}
