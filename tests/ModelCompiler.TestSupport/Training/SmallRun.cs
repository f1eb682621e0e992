using ModelCompiler.Backends;
using ModelCompiler.Backends.Cpu;
using ModelCompiler.Data;
using ModelCompiler.Models;
using ModelCompiler.Planning;
using ModelCompiler.Tensors;
using ModelCompiler.Tests.Models;
using ModelCompiler.Training;

namespace ModelCompiler.Tests.Training;

/// <summary>A run of seconds that needs no data: an untrained stories260K with dropout on its adapters, over examples of many lengths.</summary>
public static class SmallRun
{
    /// <summary>Options of a run with everything switched on.</summary>
    public static TrainingOptions Options => new()
    {
        Steps = 12,
        GradientAccumulation = 2,
        LearningRate = 1e-2,
        WarmupSteps = 2,
        WeightDecay = 0.01,
        Seed = 11,
    };

    /// <summary>Fourteen examples of 5 to 44 positions, some with targets that do not count.</summary>
    public static IReadOnlyList<Example> Examples { get; } =
    [
        .. Enumerable.Range(0, 14).Select(e =>
        {
            int[] tokens = [.. Enumerable.Range(0, 6 + 3 * e).Select(t => (3 + 17 * e + 29 * t + e * t * t) % 512)];
            int[] targets = tokens[1..];
            targets.AsSpan(0, e % 4).Fill(Example.IgnoreIndex);
            return new Example(tokens[..^1], targets);
        }),
    ];

    /// <summary>The training data: batches of 4 in an order of each epoch's own.</summary>
    public static Batches Data => new(Examples, 4, 64, seed: 9);

    /// <summary>The held-out data.</summary>
    public static Batches HeldOut => new([.. Examples.Take(3)], 4, 64, seed: null);

    /// <summary>The model; same start every time.</summary>
    public static StoriesLoraDropout CreateModel(int threads = 1, Checkpointing checkpointing = Checkpointing.Selective, Optimizer optimizer = Optimizer.AdamW) =>
        CreateModel<StoriesLoraDropout>(threads, checkpointing, optimizer);

    /// <summary>The plan of every model here; a stories260K has nothing as large as what is paged by default.</summary>
    public static TrainingPlan Plan(Checkpointing checkpointing = Checkpointing.Selective, Optimizer optimizer = Optimizer.AdamW) => new()
    {
        Batch = 4,
        Sequence = 64,
        ChunkRows = 48,
        Checkpointing = checkpointing,
        Optimizer = optimizer,
        MinimumElementsForPaging = 700,
        PageElements = 900,
    };

    /// <summary>A model over stories260K's architecture; same start every time.</summary>
    public static T CreateModel<T>(int threads = 1, Checkpointing checkpointing = Checkpointing.Selective, Optimizer optimizer = Optimizer.AdamW)
        where T : TransformerModel, IModel<T>
    {
        T model = Model.ForTraining<T>(Plan(checkpointing, optimizer), new CpuBackend(threads));
        Initialization.All(model, seed: 5);
        return model;
    }

    /// <summary>The bits of all trainable values and moments.</summary>
    public static float[] State(TransformerModel model)
    {
        var state = new List<float>();
        foreach (Parameter parameter in model.Trainable)
        {
            Moments moments = parameter.Moments;
            bool paged = moments.Storage == MomentStorage.Paged;
            state.AddRange(Values(model, parameter.Value, paged: false));
            state.AddRange(Values(model, moments.First, paged));
            state.AddRange(Values(model, moments.Second, paged));
            state.AddRange(Values(model, moments.FirstScales, paged: false));
            state.AddRange(Values(model, moments.SecondScales, paged: false));
        }

        return [.. state];
    }

    private static float[] Values(TransformerModel model, Tensor tensor, bool paged)
    {
        var values = new float[tensor.Count];
        if (paged)
        {
            model.PagedMoments.Read(tensor, 0, values);
        }
        else
        {
            model.Backend.Read(tensor, values);
        }

        return values;
    }

    /// <summary>Loss and gradients of one step over two sequences of 20 tokens; returns the summed loss.</summary>
    public static double Gradients(TransformerModel model)
    {
        int[] ids = [.. Enumerable.Range(0, 40).Select(i => (3 + 29 * i) % 512)];
        int[] targets = [.. Enumerable.Range(0, 40).Select(i => (3 + 29 * (i + 1)) % 512)];
        model.BeginStep(new Step(2, 20, LossScale: 1.0 / 40, Seed: 1), ids, targets, training: true);
        model.Backend.Zero(model.LossSum);
        model.ZeroGradients();
        model.Forward();
        model.Loss(backward: true);
        model.Backward();
        return model.Backend.Read(model.LossSum);
    }
}
