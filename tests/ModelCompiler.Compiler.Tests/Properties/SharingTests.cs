using ModelCompiler.Backends;
using ModelCompiler.Backends.Cpu;
using ModelCompiler.Compiler.Description;
using ModelCompiler.Compiler.Tests.Compiled;
using ModelCompiler.Models;
using ModelCompiler.Planning;
using ModelCompiler.Testing.Reference;

namespace ModelCompiler.Compiler.Tests.Properties;

/// <summary>
/// A planned run is bit-equal to a run where every value has its own memory (compiled without in-place operations, planned without
/// sharing), and checkpointing changes no bit. Finds what shapes and finite differences cannot: a buffer reused while still needed.
/// </summary>
public class SharingTests
{
    public static TheoryData<int> Batches => Compiled.Batches.Numbers;

    [Theory]
    [MemberData(nameof(Batches))]
    public void Sharing_memory_changes_no_bit(int batch) => Compare(batch, (compiled, spec, plan) =>
    [
        (compiled.Apart(spec), plan with { ShareMemory = false }),
        (compiled.Entry(spec), plan),
        (compiled.Entry(spec), plan with { ShareMemory = false }),
        (compiled.Apart(spec), plan),
    ]);

    [Theory]
    [MemberData(nameof(Batches))]
    public void Checkpointing_changes_no_bit(int batch) => Compare(batch, (compiled, spec, plan) =>
    [
        (compiled.Entry(spec), plan with { Checkpointing = Checkpointing.None }),
        (compiled.Entry(spec), plan with { Checkpointing = Checkpointing.Selective }),
        (compiled.Entry(spec), plan with { Checkpointing = Checkpointing.Block, CheckpointEvery = 1 }),
        (compiled.Entry(spec), plan with { Checkpointing = Checkpointing.Block, CheckpointEvery = 2 }),
        (compiled.Entry(spec), plan with { Checkpointing = Checkpointing.Block, CheckpointEvery = 3 }),
        (compiled.Apart(spec), plan with { Checkpointing = Checkpointing.Block, CheckpointEvery = 2, ShareMemory = false }),
    ]);

    [Theory]
    [MemberData(nameof(Batches))]
    public void Sharing_memory_changes_no_bit_of_activations_in_16_bits(int batch) => Compare(batch, (compiled, spec, plan) =>
    [
        (compiled.Entry(spec), plan with { SavedActivations = Storage.BFloat16 }),
        (compiled.Entry(spec), plan with { SavedActivations = Storage.BFloat16, ShareMemory = false }),
    ]);

    /// <summary>24 variants under three policies are more ways to run a layer than a machine word has bits.</summary>
    [Fact]
    public void Each_of_many_variants_runs_its_own_calls()
    {
        Projections[] carriers = [Projections.Query, Projections.Key, Projections.Value, Projections.Output, Projections.Up];
        IEnumerable<AdapterSpec> adapters = carriers.Select((carrier, bit) => new AdapterSpec(
            "Lora", carrier, 0, new EquatableArray<ArgumentSpec>([new ArgumentSpec("Rank", 1 + bit % 2), new ArgumentSpec("Alpha", 3)]))
        {
            Layers = LayerSet.Of(Enumerable.Range(0, 24).Where(layer => (layer + 1 >> bit & 1) != 0)).ToString(),
        });
        ModelSpec spec = Llama.Architecture(24, 8, 6, 2, 1) with { Recipe = new RecipeSpec("Base", default, new EquatableArray<AdapterSpec>(adapters), default) };
        CompiledBatch compiled = CompiledBatch.Compile([spec with { Type = new TypeSpec("Random", "ManyVariants", "public") }], "ManyVariants");
        Assert.Equal(24, compiled.Entry(compiled.Specs[0]).Tables.Variants.Length);
        Compare(compiled, static (compiled, spec, plan) =>
        [
            (compiled.Entry(spec), plan with { Checkpointing = Checkpointing.None }),
            (compiled.Entry(spec), plan with { Checkpointing = Checkpointing.Selective }),
            (compiled.Entry(spec), plan with { Checkpointing = Checkpointing.Block, CheckpointEvery = 1 }),
        ]);
    }

    private static void Compare(int batch, Func<CompiledBatch, ModelSpec, TrainingPlan, (ModelEntry, TrainingPlan)[]> runs) => Compare(Compiled.Batches.Get(batch), runs);

    private static void Compare(CompiledBatch compiled, Func<CompiledBatch, ModelSpec, TrainingPlan, (ModelEntry, TrainingPlan)[]> runs)
    {
        var failures = new List<string>();
        for (int i = 0; i < compiled.Specs.Count; i++)
        {
            ModelSpec spec = compiled.Specs[i];
            var plan = new TrainingPlan { Batch = 1 + i % 2, Sequence = 2 + i % 6, ChunkRows = 1 + i % 4, Checkpointing = (Checkpointing)(i / 2 % 3), CheckpointEvery = 1 + i % 3 }.WithRandomRanks(compiled.Entry(spec).Tables, i);
            foreach (bool reference in new[] { true, false })
            {
                double[][]? expected = null;
                foreach ((ModelEntry entry, TrainingPlan choice) in runs(compiled, spec, plan))
                {
                    double[][] actual = Results(entry, choice, reference ? new ReferenceBackend() : new CpuBackend(1), (ulong)i);
                    expected ??= actual;
                    if (!expected.Zip(actual, (a, b) => a.AsSpan().SequenceEqual(b)).All(same => same))
                    {
                        failures.Add($"{spec.Type.Name} {(reference ? "reference" : "cpu")} {choice}: {spec}");
                    }
                }
            }
        }

        Assert.True(failures.Count == 0, string.Join("\n", failures));
    }

    private static double[][] Results(ModelEntry entry, TrainingPlan plan, IBackend backend, ulong seed)
    {
        using var run = new ModelRun(entry, plan, backend, seed);
        double first = run.Gradients();
        run.Update();
        double second = run.Gradients();
        return [.. run.Model.Trainable.Select(p => run.Read(p.Gradient)), .. run.Model.Trainable.Select(p => run.Read(p.Value)), [first, second]];
    }
}
