using ModelCompiler.Compiler.Description;
using ModelCompiler.Compiler.Tests.Compiled;
using ModelCompiler.Models;
using ModelCompiler.Planning;
using ModelCompiler.Testing.Reference;

namespace ModelCompiler.Compiler.Tests.Properties;

/// <summary>Generated gradients against finite differences of the generated loss, in double; adapters of nested ranks at one of them, the norms of DoRA's held.</summary>
public class GradientTests
{
    private const double Tolerance = 1e-5;

    public static TheoryData<int> Batches => Compiled.Batches.Numbers;

    [Theory]
    [MemberData(nameof(Batches))]
    public void Gradients_equal_finite_differences(int batch)
    {
        CompiledBatch compiled = Compiled.Batches.Get(batch);
        var failures = new List<string>();
        for (int i = 0; i < compiled.Specs.Count; i++)
        {
            ModelSpec spec = compiled.Specs[i];
            var plan = new TrainingPlan { Batch = 1 + i % 2, Sequence = 3 + i % 4, ChunkRows = 2 + i % 5, Checkpointing = (Checkpointing)(i % 3), CheckpointEvery = 1 + i / 3 % 2 }.WithRandomRanks(compiled.Entry(spec).Tables, i);
            using var run = new ModelRun(compiled.Entry(spec), plan, new ReferenceBackend(), (ulong)i);
            run.Model.UseRank(1 + i % 3);
            double worst = WorstError(run, new Random(i), out string where);
            if (!(worst < Tolerance))
            {
                failures.Add($"{spec.Type.Name}: {worst:E2} at {where}; {spec}");
            }
        }

        Assert.True(failures.Count == 0, string.Join("\n", failures));
    }

    private static double WorstError(ModelRun run, Random random, out string where)
    {
        run.Gradients();
        var analytic = run.Model.Trainable.ToDictionary(p => p, p => run.Read(p.Gradient));
        double largest = analytic.Values.Max(g => g.Max(Math.Abs));
        double worst = 0;
        where = "";
        foreach ((Parameter p, double[] gradient) in analytic)
        {
            double[] values = run.Read(p.Active);
            foreach (int element in Enumerable.Range(0, 3).Select(_ => random.Next(values.Length)).Distinct())
            {
                double numeric = Difference(run, p, values, element);
                double scale = Math.Max(Math.Max(Math.Abs(gradient[element]), Math.Abs(numeric)), 1e-3 * largest);
                double error = Math.Abs(gradient[element] - numeric) / scale;
                if (!(error <= worst))
                {
                    worst = error;
                    where = $"{p.Path}[{element}]: {gradient[element]:E6} against {numeric:E6}";
                }
            }
        }

        return worst;
    }

    // The central difference of fourth order: its own error is far below the tolerance at this step.
    private static double Difference(ModelRun run, Parameter p, double[] values, int element)
    {
        const double h = 2e-4;
        var norms = DoraNorms.OfMatrix(run, p);
        double At(double offset)
        {
            double kept = values[element];
            values[element] = kept + offset;
            run.Write(p.Active, values);
            values[element] = kept;
            norms?.Hold();
            return run.Loss();
        }

        double difference = (8 * (At(h) - At(-h)) - (At(2 * h) - At(-2 * h))) / (12 * h);
        run.Write(p.Active, values);
        norms?.Release();
        return difference;
    }
}
