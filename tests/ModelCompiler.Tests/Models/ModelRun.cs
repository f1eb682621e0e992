using ModelCompiler.Backends;
using ModelCompiler.Models;
using ModelCompiler.Planning;

namespace ModelCompiler.Tests.Models;

/// <summary>What tests do with a compiled model, in the words of the runtime's contract and nothing above it.</summary>
internal static partial class ModelRun
{
    /// <summary>A plan that takes these rows as one batch.</summary>
    public static TrainingPlan PlanFor(int[][] inputs, Checkpointing checkpointing = Checkpointing.Selective) =>
        new() { Batch = inputs.Length, Sequence = inputs[0].Length, Checkpointing = checkpointing, ChunkRows = 7 };

    /// <summary>Forward, loss and backward of one batch: gradients of the mean loss are added to the parameters' gradients.</summary>
    /// <returns>The mean loss over the targets that count.</returns>
    public static double Differentiate(this TransformerModel model, int[][] inputs, int[][] targets)
    {
        int valid = targets.Sum(row => row.Count(t => t >= 0));
        var step = new Step(inputs.Length, inputs[0].Length, LossScale: 1.0 / valid, Seed: 1);
        model.BeginStep(step, [.. inputs.SelectMany(r => r)], [.. targets.SelectMany(r => r)], training: true);
        model.Kernels.Zero(model.LossSum);
        model.Forward();
        model.Loss(backward: true);
        model.Backward();
        return model.Kernels.Read(model.LossSum) / valid;
    }

    /// <summary>Logits of every row, one array a token, of a model planned for generation.</summary>
    public static double[][] LogitsOf(this TransformerModel model, int[] tokens, int position = 0)
    {
        model.BeginStep(new Step(1, tokens.Length, position), tokens);
        model.Serve();
        return [.. Enumerable.Range(0, tokens.Length).Select(row => Values(model, model.Logits(row, 1)))];
    }

    /// <summary>The parameter of a checkpoint name.</summary>
    public static Parameter Named(this TransformerModel model, string name) => model.Parameters.Single(p => p.Name == name);

    /// <summary>All values of a tensor, row-major.</summary>
    public static double[] Values(this TransformerModel model, ModelCompiler.Tensors.Tensor tensor)
    {
        var values = new double[tensor.Count];
        model.Kernels.Read(tensor, values);
        return values;
    }

    /// <summary>Inputs and targets of rows whose targets are the next tokens.</summary>
    public static (int[][] Inputs, int[][] Targets) Shift(int[][] rows) => ([.. rows.Select(r => r[..^1])], [.. rows.Select(r => r[1..])]);

    /// <summary>Euclidean norm.</summary>
    public static double Norm(IEnumerable<double> values) => Math.Sqrt(values.Sum(v => v * v));
}
