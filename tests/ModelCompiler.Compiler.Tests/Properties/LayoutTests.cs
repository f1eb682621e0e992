using ModelCompiler.Compiler.Description;
using ModelCompiler.Compiler.Tests.Compiled;
using ModelCompiler.Models;
using ModelCompiler.Planning;

namespace ModelCompiler.Compiler.Tests.Properties;

/// <summary>The places of all buffers of a whole step, against the times at which they are live.</summary>
public class LayoutTests
{
    public static TheoryData<int> Batches => Compiled.Batches.Numbers;

    [Theory]
    [MemberData(nameof(Batches))]
    public void Live_buffers_are_aligned_and_apart_and_the_highest_ends_the_arena(int batch)
    {
        foreach ((Plan plan, string what) in Plans(batch))
        {
            StepBuffer[] buffers = StepBuffers.Of(plan);
            for (int i = 0; i < buffers.Length; i++)
            {
                for (int j = i + 1; j < buffers.Length; j++)
                {
                    Assert.True(buffers[i].Apart(buffers[j]), $"{buffers[i]} and {buffers[j]} in {what}");
                }
            }

            Assert.All(buffers, b => Assert.True(b.Offset % plan.Profile.Alignment == 0, $"{b} is not aligned in {what}"));
            Assert.True(buffers.Min(b => b.Offset) >= plan.Activations.Offset, what);
            Assert.Equal(plan.Activations.Offset + plan.Activations.Bytes, buffers.Max(b => b.Offset + b.Bytes));
        }
    }

    [Theory]
    [MemberData(nameof(Batches))]
    public void The_lower_bound_is_the_most_that_is_live_and_no_peak_is_below_it(int batch)
    {
        foreach ((Plan plan, string what) in Plans(batch))
        {
            StepBuffer[] buffers = StepBuffers.Of(plan);
            long live = buffers.Max(at => buffers.Where(b => b.From <= at.From && at.From <= b.To).Sum(b => b.Bytes));
            long pages = plan.PageBuffers.Sum(p => plan.Profile.Align((long)p.Rows * p.Columns * p.Type.Size()));
            long persistent = plan.Cost.Arena - plan.Cost.Activations - pages + plan.Cost.Overhead;
            Assert.True(persistent + Math.Max(live, pages) == LiveSet.LowerBound(plan), what);
            Assert.InRange(LiveSet.LowerBound(plan), 1, plan.Cost.Peak);
        }
    }

    [Theory]
    [MemberData(nameof(Batches))]
    public void Outputs_are_the_inputs_of_the_layers_above(int batch)
    {
        foreach ((Plan plan, string what) in Plans(batch))
        {
            (StackedFrame[] forward, StackedFrame[] backward) = (plan.Stack.Forward, plan.Stack.Backward);
            for (int layer = 0; layer < forward.Length; layer++)
            {
                Assert.True(forward[layer].Output == (layer == forward.Length - 1 ? plan.Stack.Hidden : forward[layer + 1].Input), what);
                bool recomputed = plan.Stack.Segments is { } s && layer >= s.First && !s.IsLowest(layer);
                Assert.True(backward[layer].Input == (recomputed ? backward[layer - 1].Output : forward[layer].Input), what);
            }
        }
    }

    [Fact]
    public void The_same_choices_are_the_same_plan()
    {
        foreach (((Plan first, string what), (Plan second, _)) in Plans(0).Zip(Plans(0)))
        {
            Assert.True(StepBuffers.Of(first).SequenceEqual(StepBuffers.Of(second)), what);
        }
    }

    private static IEnumerable<(Plan Plan, string What)> Plans(int batch)
    {
        CompiledBatch compiled = Compiled.Batches.Get(batch);
        var random = new Random(batch);
        foreach (ModelSpec spec in compiled.Specs)
        {
            ModelEntry entry = compiled.Entry(spec);
            foreach (Checkpointing policy in Enum.GetValues<Checkpointing>())
            {
                TrainingPlan plan = new TrainingPlan
                {
                    Batch = random.Next(1, 6),
                    Sequence = random.Next(1, 9),
                    ChunkRows = random.Next(1, 40),
                    Checkpointing = policy,
                    CheckpointEvery = random.Next(1, 4),
                    SavedActivations = random.Next(2) == 0 ? Storage.Float32 : Storage.BFloat16,
                    Optimizer = (Optimizer)random.Next(3),
                    MinimumElementsForPaging = 1,
                }.WithRandomRanks(entry.Tables, random.Next());
                yield return (MemoryPlanner.Train(entry.Tables, plan, BackendProfile.Cpu(1)), $"{plan}: {spec}");
            }
        }
    }
}
