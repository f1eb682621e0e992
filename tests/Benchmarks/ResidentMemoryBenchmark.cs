using System.Diagnostics;
using System.Globalization;
using ModelCompiler.Backends;
using ModelCompiler.Backends.Cpu;
using ModelCompiler.Benchmarks.Models;
using ModelCompiler.Models;
using ModelCompiler.Optimizers;
using ModelCompiler.Planning;
using ModelCompiler.Training;

namespace ModelCompiler.Benchmarks;

/// <summary>Growth of the resident set over one training step and update against the predicted allocation, for ten plans over 500 MB, each in a process of its own.</summary>
internal static class ResidentMemoryBenchmark
{
    private static readonly TrainingPlan s_plain = new() { Batch = 8, Sequence = 256 };

    private static readonly (bool Full, TrainingPlan Plan)[] s_plans =
    [
        (false, s_plain),
        (false, s_plain with { Checkpointing = Checkpointing.None }),
        (false, s_plain with { Batch = 12 }),
        (false, s_plain with { Batch = 64, Checkpointing = Checkpointing.Block }),
        (false, s_plain with { Batch = 40, Checkpointing = Checkpointing.Block, CheckpointEvery = 4 }),
        (false, s_plain with { Batch = 16, SavedActivations = Storage.BFloat16 }),
        (false, s_plain with { Batch = 12, Storage = WeightFormat.NF4(64, true), Checkpointing = Checkpointing.None }),
        (true, s_plain with { Batch = 2 }),
        (true, s_plain with { Optimizer = Optimizer.AdamW8Bit }),
        (true, s_plain with { Batch = 4, Optimizer = Optimizer.PagedAdamW }),
    ];

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

        (bool full, TrainingPlan plan) = s_plans[int.Parse(args[0], CultureInfo.InvariantCulture)];
        using (TransformerModel warm = Create(full, plan with { Batch = 1, Sequence = 8 }))
        {
            OneStep(warm, 1, 8);
        }

        GC.Collect();
        long before = Resident();
        using TransformerModel model = Create(full, plan);
        OneStep(model, plan.Batch, plan.Sequence);
        double growth = Resident() - before;
        double predicted = model.Plan.Cost.Allocated;
        string checkpointing = plan.Checkpointing == Checkpointing.Block ? $"every {plan.CheckpointEvery}" : plan.Checkpointing.ToString();
        Console.WriteLine(FormattableString.Invariant(
            $"{(full ? "full" : "LoRA")}, batch {plan.Batch} x 256, checkpointing {checkpointing}, activations {plan.SavedActivations}, weights {plan.Storage?.Storage ?? Storage.Float32}, {plan.Optimizer}: predicted {predicted / 1e6:F1} MB, resident growth {growth / 1e6:F1} MB, ratio {growth / predicted:F4}"));
    }

    private static TransformerModel Create(bool full, TrainingPlan plan) =>
        full ? Llama28M.ForTraining(plan, new CpuBackend(2)) : Llama28M_Lora.ForTraining(plan, new CpuBackend(2));

    private static void OneStep(TransformerModel model, int batch, int sequence)
    {
        int[] zeros = new int[batch * sequence];
        model.BeginStep(new Step(batch, sequence), ids: zeros, targets: zeros, training: true);
        model.Forward();
        model.Loss(backward: true);
        model.Backward();
        new ParameterUpdates(model).Run(new AdamWStep(1e-3, 0.9, 0.999, 1e-8, 0, 1, 1));
        model.Backend.Read(model.LossSum);
    }

    private static long Resident()
    {
        using Process self = Process.GetCurrentProcess();
        return self.WorkingSet64;
    }
}
