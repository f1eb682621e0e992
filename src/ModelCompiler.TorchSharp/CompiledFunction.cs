using TorchSharp;

namespace ModelCompiler.Torch;

/// <summary>What torch's autograd calls of a compiled module.</summary>
internal interface ICompiledModule
{
    /// <summary>Computes the logits of a step, a new tensor.</summary>
    TorchTensor Forward(CompiledStep step);

    /// <summary>The gradients of the trainable parameters, in the memory of the plan, from that of the logits.</summary>
    IReadOnlyList<TorchTensor> Backward(CompiledStep step, TorchTensor gradient);
}

/// <summary>One forward, so that it can be computed again.</summary>
internal sealed record CompiledStep(ICompiledModule Module, int[] Ids, int Batch, int Sequence, ulong Seed, bool Training);

/// <summary>A compiled module as one operation of torch's autograd: of a step, which is no tensor, and of the trainable parameters.</summary>
internal sealed class CompiledFunction : torch.autograd.MultiTensorFunction<CompiledFunction>
{
    private const string Step = "step";

    /// <inheritdoc/>
    public override string Name => nameof(CompiledFunction);

    public static TorchTensor Apply(CompiledStep step, TorchTensor[] parameters)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        return apply([step, .. parameters])[0].MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public override List<TorchTensor> forward(torch.autograd.AutogradContext ctx, params object[] vars)
    {
        var step = (CompiledStep)vars[0];
        ctx.save_data(Step, step);
        return [step.Module.Forward(step)];
    }

    /// <inheritdoc/>
    public override List<TorchTensor> backward(torch.autograd.AutogradContext ctx, List<TorchTensor> grad_outputs)
    {
        var step = (CompiledStep)ctx.get_data(Step);
        using TorchTensor gradient = grad_outputs[0];
        return [null!, .. step.Module.Backward(step, gradient)];
    }
}
