using ModelCompiler.Backends.Cpu;
using ModelCompiler.Compiler.Description;
using ModelCompiler.Compiler.Tests.Compiled;
using ModelCompiler.Models;
using ModelCompiler.Planning;
using ModelCompiler.Tensors;
using ModelCompiler.Testing.Null;

namespace ModelCompiler.Compiler.Tests.Properties;

/// <summary>
/// The memory contract, to the byte: the native memory that whole steps take is the predicted peak less the fixed
/// overhead (and what is paged to host memory), and the highest byte that a step touches where every position has a target is the predicted one.
/// </summary>
public class MemoryTests
{
    private const int PlansPerDescription = 3;

    // Rows are a few elements wide: their blocks straddle rows, and Int4's groups of 32 would not divide them.
    private static readonly WeightFormat?[] Storages =
        [null, WeightFormat.BFloat16, WeightFormat.NF4(32, false), WeightFormat.NF4(64, true), WeightFormat.Int8(32)];

    /// <summary>Activations in 16 bits, parameters in 32, buffers 256 bytes apart.</summary>
    private static readonly BackendProfile Gpu = BackendProfile.Cuda(DType.BFloat16);

    public static TheoryData<int> Batches => Compiled.Batches.Numbers;

    [Theory]
    [MemberData(nameof(Batches))]
    public void Allocated_equals_predicted(int batch)
    {
        foreach ((ModelEntry entry, TrainingPlan plan, ulong seed) in Cases(batch))
        {
            int threads = 1 + (int)(seed % 3);
            MemoryCost cost = MemoryPlanner.Train(entry.Tables, plan, BackendProfile.Cpu(threads)).Cost;
            Assert.Equal(cost, MemoryPlanner.Cost(entry.Tables, plan, BackendProfile.Cpu(threads)));
            Assert.Equal(MemoryPlanner.Train(entry.Tables, plan, Gpu).Cost, MemoryPlanner.Cost(entry.Tables, plan, Gpu));
            using var native = new NativeMemoryScope();
            using (var run = new ModelRun(entry, plan, new CpuBackend(threads), seed))
            {
                for (int micro = 0; micro < plan.GradientAccumulation; micro++)
                {
                    run.Gradients();
                }

                run.Update();
                Assert.Equal(cost.Peak - cost.Overhead + cost.Paged, native.PeakBytes);
            }

            Assert.Equal(0, native.BytesInUse);
        }
    }

    [Theory]
    [MemberData(nameof(Batches))]
    public void Highest_touched_byte_equals_predicted(int batch)
    {
        foreach ((ModelEntry entry, TrainingPlan plan, ulong seed) in Cases(batch))
        {
            // Room that moving ranks may need is not touched where they did not move.
            var backend = new NullBackend(seed % 2 == 0 ? null : Gpu);
            using var run = new ModelRun(entry, plan with { MoveRanks = false }, backend, seed, allTargets: true);
            backend.Reset();
            run.Gradients();
            run.Update();
            long touched = Math.Max(backend.HighestByte, backend.WorkspaceEnd);
            Assert.InRange(touched, run.Model.Plan.Cost.Arena - 2 * backend.Profile.Alignment + 1, run.Model.Plan.Cost.Arena);
            long paged = run.Model.Plan.Cost.Paged;
            Assert.InRange(backend.HighestPagedByte, Math.Max(0, paged - backend.Profile.Alignment + 1), paged);
        }
    }

    private static IEnumerable<(ModelEntry Entry, TrainingPlan Plan, ulong Seed)> Cases(int batch)
    {
        CompiledBatch compiled = Compiled.Batches.Get(batch);
        var random = new Random(batch);
        foreach (ModelSpec spec in compiled.Specs)
        {
            for (int i = 0; i < PlansPerDescription; i++)
            {
                ModelEntry entry = compiled.Entry(spec);
                var plan = new TrainingPlan
                {
                    Storage = entry.Tables.Slots.Length == 0 ? null : Storages[random.Next(Storages.Length)],
                    Batch = random.Next(1, 6),
                    Sequence = random.Next(1, 9),
                    GradientAccumulation = random.Next(1, 4),
                    ChunkRows = random.Next(1, 20),
                    Checkpointing = (Checkpointing)random.Next(3),
                    CheckpointEvery = random.Next(1, 4),
                    SavedActivations = random.Next(3) == 0 ? Storage.BFloat16 : Storage.Float32,
                    Optimizer = (Optimizer)random.Next(3),
                    MinimumElementsFor8Bit = random.Next(1, 100),
                    MinimumElementsForPaging = random.Next(1, 100),
                    PageElements = random.Next(1, 60),
                };
                yield return (entry, plan.WithRandomRanks(entry.Tables, i), (ulong)random.Next(1000));
            }
        }
    }
}
