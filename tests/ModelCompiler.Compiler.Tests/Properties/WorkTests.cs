using ModelCompiler.Compiler.Tests.Compiled;
using ModelCompiler.Models;
using ModelCompiler.Planning;
using ModelCompiler.Testing.Null;

namespace ModelCompiler.Compiler.Tests.Properties;

/// <summary>
/// What the catalog says a micro-step computes and moves, against what a backend counts call by call that knows nothing of the catalog.
/// </summary>
public class WorkTests
{
    private static readonly string[] Outside = ["Write", "Read", "Zero", "SquaredNorm"];

    public static TheoryData<int> Batches => Compiled.Batches.Numbers;

    [Theory]
    [MemberData(nameof(Batches))]
    public void Bytes_are_those_of_the_calls(int batch)
    {
        CompiledBatch compiled = Compiled.Batches.Get(batch);
        var random = new Random(batch);
        foreach (ModelEntry entry in compiled.Specs.Select(compiled.Entry))
        {
            // One rank for all, as the coefficients suppose, and no storage of less than 4 bytes; a method's own steps beside the model's are not in the frames.
            bool recipe = entry.Tables.Slots.Length > 0;
            var plan = new TrainingPlan
            {
                Batch = random.Next(1, 4),
                Sequence = random.Next(1, 9),
                ChunkRows = random.Next(1, 20),
                Checkpointing = (Checkpointing)random.Next(3),
                CheckpointEvery = random.Next(1, 4),
                Storage = recipe ? WeightFormat.Compute : null,
                Rank = recipe ? 1 + random.Next(entry.Tables.Slots.Min(s => s.MaximumRank)) : null,
                MoveRanks = false,
            };
            var backend = new NullBackend();
            using var run = new ModelRun(entry, plan, backend, seed: 1, allTargets: true);
            backend.Reset();
            run.Gradients();

            // The sum of the loss is an input of each chunk's call that it also writes.
            int chunks = (plan.Batch * plan.Sequence + run.Model.ChunkRows - 1) / run.Model.ChunkRows;
            StepWork work = StepWork.Train(entry.Tables, plan.Checkpointing, plan.CheckpointEvery);
            double predicted = work.ActivationBytes(run.Model.Plan.Sizes, backend.Profile) + work.WeightBytes(run.Model.Plan.Sizes, 4, 4);
            double counted = backend.Operations.Where(o => !Outside.Contains(o.Key)).Sum(o => (double)o.Value.Bytes);
            Assert.Equal(counted, predicted + 4 * chunks);
        }
    }
}
