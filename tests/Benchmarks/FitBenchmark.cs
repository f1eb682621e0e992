using System.Diagnostics;
using System.Globalization;
using ModelCompiler.Models;
using ModelCompiler.Planning;

namespace ModelCompiler.Benchmarks;

/// <summary>Time of a search for a plan: the first in the process, which the runtime compiles, and the median of warm ones; and of pricing and laying out one plan.</summary>
internal static class FitBenchmark
{
    private const int Runs = 101;

    public static void Run()
    {
        BackendProfile cpu = BackendProfile.Cpu(2);
        foreach ((ModelTables tables, long gib) in new[] { (Llama3_8B_QLora.Tables, 24L), (Falcon_40B_QDyLora.Tables, 32L), (Llama_65B_QLora.Tables, 48L) })
        {
            foreach (FitObjective objective in Enum.GetValues<FitObjective>())
            {
                var options = new FitOptions { Sequence = objective == FitObjective.LongestSequence ? null : 1024 };
                Report($"{tables.Name} {objective} in {gib} GiB", () => TrainingPlan.Fit(tables, gib << 30, objective, cpu, options));
            }

            var plan = new TrainingPlan { Sequence = 1024, Checkpointing = Checkpointing.Block };
            Report($"{tables.Name}, one plan priced", () => MemoryPlanner.Cost(tables, plan, cpu));
            Report($"{tables.Name}, one plan laid out", () => MemoryPlanner.Train(tables, plan, cpu));
        }
    }

    private static void Report(string what, Action action)
    {
        double[] times = [.. Enumerable.Range(0, Runs).Select(_ => Milliseconds(action))];
        double first = times[0];
        Array.Sort(times);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{what,-50} first {first,7:F2} ms, median {times[Runs / 2],6:F2} ms"));
    }

    private static double Milliseconds(Action action)
    {
        long start = Stopwatch.GetTimestamp();
        action();
        return Stopwatch.GetElapsedTime(start).TotalMilliseconds;
    }
}
