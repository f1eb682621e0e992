using System.Diagnostics;
using ModelCompiler.Backends;
using ModelCompiler.Cuda;
using ModelCompiler.Models;
using ModelCompiler.Optimizers;
using ModelCompiler.Planning;
using ModelCompiler.Training;

namespace ModelCompiler.GpuBenchmarks;

/// <summary>Whole training steps over random weights and tokens: forward, backward, clip and AdamW.</summary>
internal static class StepFigures
{
    /// <summary>Dense bfloat16 of an H200's data sheet, which the utilization is of.</summary>
    private const double PeakFlops = 989e12;

    private const int Steps = 12;
    private const int WarmUp = 4;

    public static IEnumerable<Figure> All() =>
    [
        .. Of<Llama3_2_1B_LoraAll>("lora llama-3.2-1b 8x1024", new TrainingPlan { Batch = 8, Sequence = 1024, ChunkRows = 2048 }),
        .. Of<Llama2_7B_QLora>("qlora llama-2-7b 4x1024", new TrainingPlan { Batch = 4, Sequence = 1024, ChunkRows = 2048 }),
    ];

    private static IEnumerable<Figure> Of<T>(string name, TrainingPlan plan)
        where T : TransformerModel, IModel<T>
    {
        using T model = Model.ForTraining<T>(plan, CudaBackend.Open());
        Initialization.All(model, seed: 1);
        var random = new Random(1);
        int[] ids = [.. Enumerable.Range(0, plan.Batch * plan.Sequence).Select(_ => random.Next(model.Tables.Vocabulary))];
        var updates = new ParameterUpdates(model);
        var seconds = new List<double>();
        for (int step = 0; step < Steps; step++)
        {
            long start = Stopwatch.GetTimestamp();
            Step(model, updates, ids, step);
            seconds.Add(Stopwatch.GetElapsedTime(start).TotalSeconds);
        }

        double median = seconds.Skip(WarmUp).Order().ElementAt((Steps - WarmUp) / 2);
        yield return new Figure($"{name}: speed", "tokens/s", ids.Length / median);
        yield return new Figure($"{name}: utilization", "of peak", model.Plan.FlopsPerMicroStep / median / PeakFlops);
        yield return new Figure($"{name}: peak memory", "MiB", model.Backend.AllocatedBytes / 1048576.0);
        yield return new Figure($"{name}: predicted over allocated", "", (double)model.Plan.Cost.Arena / model.Backend.AllocatedBytes);
    }

    private static void Step(TransformerModel model, ParameterUpdates updates, int[] ids, int count)
    {
        IBackend kernels = model.Backend;
        int sequence = model.Plan.Sizes.Sequence;
        model.BeginStep(new Step(ids.Length / sequence, sequence, LossScale: 1.0 / ids.Length), ids, ids, training: true);
        kernels.Zero(model.LossSum);
        model.ZeroGradients();
        model.Forward();
        model.Loss(backward: true);
        model.Backward();
        kernels.Zero(model.GradientNorm);
        foreach (Parameter parameter in model.Trainable)
        {
            kernels.SquaredNorm(parameter.Gradient, model.GradientNorm);
        }

        double norm = Math.Sqrt(kernels.Read(model.GradientNorm));
        updates.Run(new AdamWStep(1e-4, 0.9, 0.999, 1e-8, 0, count + 1, Math.Min(1, 1 / norm)));
        kernels.Read(model.LossSum);
    }
}

/// <summary>LoRA on every linear of Llama 3.2 1B, its weights in bfloat16.</summary>
[FineTune<Llama3_2_1B>]
[Frozen(Storage.BFloat16)]
[Lora(Rank = 16, Alpha = 32, Targets = Projections.All)]
internal sealed partial class Llama3_2_1B_LoraAll;
