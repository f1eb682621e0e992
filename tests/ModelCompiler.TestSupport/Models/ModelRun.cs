using ModelCompiler.Adapters;
using ModelCompiler.Backends;
using ModelCompiler.HuggingFace.Families;
using ModelCompiler.Models;
using ModelCompiler.Planning;

namespace ModelCompiler.Tests.Models;

/// <summary>What tests do with a compiled model, in the words of the runtime's contract and nothing above it.</summary>
public static class ModelRun
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
        model.Backend.Zero(model.LossSum);
        model.Forward();
        model.Loss(backward: true);
        model.Backward();
        return model.Backend.Read(model.LossSum) / valid;
    }

    /// <summary>Logits of every row, one array a token, of a model planned for generation.</summary>
    public static double[][] LogitsOf(this TransformerModel model, int[] tokens, int position = 0)
    {
        model.BeginStep(new Step(1, tokens.Length, position), tokens);
        model.Decode();
        return [.. Enumerable.Range(0, tokens.Length).Select(row => Values(model, model.Logits(row, 1)))];
    }

    /// <summary>The parameter of a path, or of a name as Llama's checkpoints and those of a description of no family have it.</summary>
    public static Parameter Named(this TransformerModel model, string name) => model.Parameters.Single(p => p.Path == name || NameOf(model, p) == name);

    /// <summary>A parameter's name in such a checkpoint; an adapter's as PEFT's LoRA has it.</summary>
    public static string NameOf(this TransformerModel model, Parameter parameter)
    {
        TensorMap map = Names(model);
        return parameter.Info.Slot < 0
            ? map.Of(parameter).Tensor
            : $"{map.ModuleOf(model.Tables.Slots[parameter.Info.Slot], parameter.Layer)}.lora_{parameter.Path[(parameter.Path.LastIndexOf('.') + 1)..]}.weight";
    }

    /// <summary>The module in such a checkpoint that an adapter is on.</summary>
    public static string ModuleOf(this TransformerModel model, AdapterState adapter) => Names(model).ModuleOf(adapter);

    private static TensorMap Names(TransformerModel model) => new(new OwnNames(model.Tables.Architecture), model.Tables);

    /// <summary>All values of a tensor, row-major.</summary>
    public static double[] Values(this TransformerModel model, ModelCompiler.Tensors.Tensor tensor)
    {
        var values = new double[tensor.Count];
        model.Backend.Read(tensor, values);
        return values;
    }

    /// <summary>Inputs and targets of rows whose targets are the next tokens.</summary>
    public static (int[][] Inputs, int[][] Targets) Shift(int[][] rows) => ([.. rows.Select(r => r[..^1])], [.. rows.Select(r => r[1..])]);

    /// <summary>Euclidean norm.</summary>
    public static double Norm(IEnumerable<double> values) => Math.Sqrt(values.Sum(v => v * v));
}
