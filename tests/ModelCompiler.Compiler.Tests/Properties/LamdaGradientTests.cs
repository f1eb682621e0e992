using ModelCompiler.Adapters;
using ModelCompiler.Backends;
using ModelCompiler.Backends.Cpu;
using ModelCompiler.Compiler.Description;
using ModelCompiler.Compiler.Tests.Compiled;
using ModelCompiler.Models;
using ModelCompiler.Planning;
using ModelCompiler.Testing.Null;
using ModelCompiler.Testing.Reference;
using ModelCompiler.Training;

namespace ModelCompiler.Compiler.Tests.Properties;

/// <summary>
/// What <see cref="GradientTests"/> does not say of LaMDA: while columns of B are frozen the others have the same gradient, bit for bit, the
/// frozen ones none, A never one, and the products of frozen columns are not computed.
/// </summary>
public class LamdaGradientTests
{
    private const int Steps = 10;

    public static TheoryData<int> Batches => new(Compiled.Batches.LamdaNumbers);

    [Theory]
    [MemberData(nameof(Batches))]
    public void Live_columns_keep_their_gradient_and_frozen_ones_have_none(int batch) => ForEach(batch, (entry, plan, seed) =>
    {
        using var whole = new ModelRun(entry, plan, new ReferenceBackend(), seed);
        whole.Gradients();
        double largest = whole.Model.Trainable.Max(p => whole.Read(p.Gradient).Max(Math.Abs));
        using var reference = new ModelRun(entry, plan, new ReferenceBackend(), seed);
        using var cpu = new ModelRun(entry, plan, new CpuBackend(1), seed);
        for (int step = 1; step <= Steps; step++)
        {
            Begin(reference, step);
            Begin(cpu, step);
            reference.Gradients();
            cpu.Gradients();
            for (int a = 0; a < whole.Model.Adapters.Count; a++)
            {
                var expected = (LamdaAdapter)whole.Model.Adapters[a];
                var actual = (LamdaAdapter)reference.Model.Adapters[a];
                double[] gradient = whole.Read(expected.B.Gradient);
                int frozen = LamdaSchedule.FrozenColumns(actual.Rank, 0.3, Steps, step - 1);
                double[] wanted = [.. gradient.Select((g, i) => i % actual.Rank < frozen ? 0 : g)];
                Assert.Equal(wanted, reference.Read(actual.B.Gradient));
                Assert.Equal(whole.Read(expected.S.Gradient), reference.Read(actual.S.Gradient));
                Assert.True(actual.A.Gradient.IsNone);
                double[] single = cpu.Read(((LamdaAdapter)cpu.Model.Adapters[a]).B.Gradient);
                Assert.All(wanted.Zip(single), pair => Assert.True(Math.Abs(pair.First - pair.Second) <= (pair.First == 0 ? 0 : 1e-4 * largest), $"{pair}"));
            }
        }
    });

    [Theory]
    [MemberData(nameof(Batches))]
    public void Products_of_frozen_columns_are_not_computed(int batch) => ForEach(batch, (entry, plan, seed) =>
    {
        var backend = new NullBackend();
        using var run = new ModelRun(entry, plan, backend, seed, allTargets: true);
        Begin(run, 1);
        OperationCount before = Count(run, backend);
        Begin(run, Steps / 2);
        OperationCount after = Count(run, backend);
        LamdaAdapter[] adapters = [.. run.Model.Adapters.Cast<LamdaAdapter>()];
        int headLaunches = (plan.Batch * plan.Sequence + plan.ChunkRows - 1) / plan.ChunkRows;
        Assert.Equal(adapters.Sum(a => a.Layer < 0 ? headLaunches : 1), before.Launches - after.Launches);

        // Of each product the gradient and the input of all tokens, and of each launch the accumulated matrix, read and written.
        long tokens = plan.Batch * plan.Sequence;
        long elements = adapters.Sum(a => tokens * (a.B.Value.Rows + a.B.Value.Columns) + 2L * a.B.Value.Count * (a.Layer < 0 ? headLaunches : 1));
        Assert.Equal(elements * sizeof(float), before.Bytes - after.Bytes);
    });

    private static OperationCount Count(ModelRun run, NullBackend backend)
    {
        backend.Reset();
        run.Gradients();
        return backend.Operations["LinearGradientWeight"];
    }

    private static void Begin(ModelRun run, int step)
    {
        foreach (AdapterSchedule schedule in (new TrainingOptions { Steps = Steps }).SchedulesOf(run.Model))
        {
            schedule.BeginStep(step);
        }
    }

    private static void ForEach(int batch, Action<ModelEntry, TrainingPlan, ulong> check)
    {
        CompiledBatch compiled = Compiled.Batches.Get(batch);
        for (int i = 0; i < compiled.Specs.Count; i++)
        {
            check(
                compiled.Entry(compiled.Specs[i]),
                new TrainingPlan { Batch = 1 + i % 2, Sequence = 3 + i % 4, ChunkRows = 2 + i % 5, Checkpointing = (Checkpointing)(i % 3) },
                (ulong)i);
        }
    }
}
