using System.Diagnostics;
using System.Globalization;
using ModelCompiler.Backends;
using ModelCompiler.Backends.Cpu;
using ModelCompiler.Benchmarks.Models;
using ModelCompiler.Planning;

namespace ModelCompiler.Benchmarks;

/// <summary>Growth of the resident set over one training step against the predicted arena, for plans over 500 MB, each in a process of its own.</summary>
internal static class ResidentMemoryBenchmark
{
    private static readonly (int Batch, Checkpointing Policy)[] s_plans = [(8, Checkpointing.Selective), (8, Checkpointing.None), (12, Checkpointing.Selective)];

    public static void Run(string[] args)
    {
        if (args.Length == 0)
        {
            for (int i = 0; i < s_plans.Length; i++)
            {
                (string program, string[] arguments) = OwnProcess.Again("resident", i.ToString(CultureInfo.InvariantCulture));
                using Process child = Process.Start(program, arguments);
                child.WaitForExit();
            }

            return;
        }

        (int batch, Checkpointing policy) = s_plans[int.Parse(args[0], CultureInfo.InvariantCulture)];
        var plan = new TrainingPlan { Batch = batch, Sequence = 256, Checkpointing = policy };
        using (var warm = Llama28M_Lora.ForTraining(new TrainingPlan { Batch = 1, Sequence = 8 }, new CpuBackend(2)))
        {
            OneStep(warm, 1, 8);
        }

        GC.Collect();
        long before = Resident();
        using var model = Llama28M_Lora.ForTraining(plan, new CpuBackend(2));
        OneStep(model, batch, 256);
        double growth = Resident() - before;
        double arena = model.Plan.Cost.Arena;
        Console.WriteLine(FormattableString.Invariant(
            $"batch {batch} x 256, {policy}: predicted {arena / 1e6:F1} MB, resident growth {growth / 1e6:F1} MB, ratio {growth / arena:F4}"));
    }

    private static void OneStep(Llama28M_Lora model, int batch, int sequence)
    {
        int[] zeros = new int[batch * sequence];
        model.BeginStep(new Step(batch, sequence), ids: zeros, targets: zeros, training: true);
        model.Forward();
        model.Loss(backward: true);
        model.Backward();
        model.Kernels.Read(model.LossSum);
    }

    private static long Resident()
    {
        using Process self = Process.GetCurrentProcess();
        return self.WorkingSet64;
    }
}
