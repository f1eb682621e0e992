using System.Diagnostics;
using System.Globalization;
using System.Runtime.Intrinsics;
using System.Text.Json;
using ModelCompiler.Backends;
using ModelCompiler.Backends.Cpu;
using ModelCompiler.Benchmarks.Models;
using ModelCompiler.Models;
using ModelCompiler.Optimizers;
using ModelCompiler.Planning;
using ModelCompiler.Training;

namespace ModelCompiler.Benchmarks;

/// <summary>
/// One LoRA training step of a 28M-parameter Llama, batch 4 x 256 on two threads: milliseconds, utilization of the FMA peak measured in
/// the same run, resident memory; with a peer script, paired with PyTorch in interleaved runs.
/// </summary>
internal static class LoraStepBenchmark
{
    private const int Batch = 4;
    private const int Sequence = 256;
    private const int Threads = 2;

    /// <summary>Runs the step in this process, or, with a peer's path, both in turn in processes of their own.</summary>
    public static void Run(string[] args)
    {
        if (args.Length == 0)
        {
            Console.WriteLine(Measure());
            return;
        }

        int rounds = args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : 3;
        var ours = new List<double>();
        var theirs = new List<double>();
        for (int round = 0; round < rounds; round++)
        {
            (string program, string[] arguments) = OwnProcess.Again("step");
            ours.Add(Child("ours", program, arguments));
            theirs.Add(Child("peer", "/usr/bin/python3", [.. args[0].Split(' ')]));
        }

        Console.WriteLine(FormattableString.Invariant(
            $"tokens/s, medians of {rounds} interleaved runs: ours {Bench.Median(ours):F0}, peer {Bench.Median(theirs):F0}, ratio {Bench.Median(ours) / Bench.Median(theirs):F2}"));
    }

    private static double Child(string name, string program, string[] arguments)
    {
        var start = new ProcessStartInfo(program) { RedirectStandardOutput = true };
        foreach (string argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        // Whatever the environment says: OpenBLAS's best kernels for the machine, and as many BLAS threads as there are cores in all.
        start.Environment["OPENBLAS_CORETYPE"] = Vector512.IsHardwareAccelerated ? "SkylakeX" : "Haswell";
        start.Environment["OPENBLAS_NUM_THREADS"] = arguments.Contains("--workers") ? "1" : "2";
        using Process process = Process.Start(start)!;
        string line = process.StandardOutput.ReadToEnd().Trim();
        process.WaitForExit();
        if (process.ExitCode != 0 || line.Length == 0)
        {
            throw new InvalidOperationException($"{program} {string.Join(' ', arguments)} ended with exit code {process.ExitCode} and no figures.");
        }

        Console.WriteLine($"{name}: {line}");
        using JsonDocument json = JsonDocument.Parse(line);
        return json.RootElement.GetProperty("tokensPerSecond").GetDouble();
    }

    private static string Measure()
    {
        var plan = new TrainingPlan { Batch = Batch, Sequence = Sequence };
        using var model = Llama28M_Lora.ForTraining(plan, new CpuBackend(Threads));
        Fill(model);
        int[] ids = new int[Batch * Sequence];
        int[] targets = new int[Batch * Sequence];
        var random = new Random(1);
        for (int i = 0; i < ids.Length; i++)
        {
            (ids[i], targets[i]) = (random.Next(4096), random.Next(4096));
        }

        var updates = new ParameterUpdates(model);
        double peak = Enumerable.Range(0, 5).Max(_ => FmaPeak.MeasureTwo());
        var milliseconds = new List<double>();
        double loss = 0;
        for (int step = 0; step < 18; step++)
        {
            long start = Stopwatch.GetTimestamp();
            loss = Step(model, updates, ids, targets, step);
            if (step >= 3)
            {
                milliseconds.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
            }
        }

        peak = Math.Max(peak, Enumerable.Range(0, 5).Max(_ => FmaPeak.MeasureTwo()));
        double median = Bench.Median(milliseconds);
        double frozen = FrozenFlops();
        using Process self = Process.GetCurrentProcess();
        return FormattableString.Invariant(
            $"{{\"median\": {median:F1}, \"best\": {milliseconds.Min():F1}, \"tokensPerSecond\": {Batch * Sequence / median * 1e3:F0}, \"frozenGflop\": {frozen / 1e9:F1}, \"peakGflops\": {peak:F0}, \"mfuMedian\": {frozen / median / 1e6 / peak:F3}, \"mfuBest\": {frozen / milliseconds.Min() / 1e6 / peak:F3}, \"maxRssMiB\": {self.PeakWorkingSet64 / 1048576.0:F0}, \"arenaMiB\": {model.Plan.Cost.Arena / 1048576.0:F1}, \"predictedMiB\": {model.Plan.Cost.Peak / 1048576.0:F1}, \"loss\": {loss:F4}}}");
    }

    // The convention of the figure: forward and input gradient of every frozen linear, the head among them (1.6 GFLOP of it, the input
    // gradients of the lowest layer's q, k, v, is never computed).
    private static double FrozenFlops()
    {
        const double width = 512, hidden = 1408, vocabulary = 4096, layers = 8;
        double block = 4 * width * width + 3 * width * hidden;
        return 2.0 * Batch * Sequence * 2 * (layers * block + width * vocabulary);
    }

    private static double Step(Llama28M_Lora model, ParameterUpdates updates, int[] ids, int[] targets, int count)
    {
        IBackend k = model.Backend;
        model.BeginStep(new Step(Batch, Sequence, LossScale: 1.0 / targets.Length), ids, targets, training: true);
        k.Zero(model.LossSum);
        model.ZeroGradients();
        model.Forward();
        model.Loss(backward: true);
        model.Backward();
        updates.Run(new AdamWStep(1e-3, 0.9, 0.999, 1e-8, 0, count + 1, 1));
        return k.Read(model.LossSum) / targets.Length;
    }

    private static void Fill(Llama28M_Lora model)
    {
        var random = new Random(7);
        foreach (Parameter p in model.Parameters)
        {
            float[] values = new float[p.Value.Count];
            for (int i = 0; i < values.Length; i++)
            {
                values[i] = p.Info.Vector ? 1 : (float)(0.04 * (random.NextDouble() - 0.5));
            }

            model.Backend.Write(p.Value, values);
        }

        GC.Collect();
    }
}
