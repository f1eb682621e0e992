using ModelCompiler.Compiler.Graph;

namespace ModelCompiler.Compiler.Operations;

/// <summary>A copy, where the output of a region must lie elsewhere than the value it is. Inputs: source.</summary>
public sealed record Copy : Operation
{
    public override string Formula => "copy";

    public override Shape[] Infer(Value[] inputs) => [inputs[0].Shape];

    public override void Gradient(Op op, GradientBuilder g)
    {
        if (g.Of(op.Output) is { } dy)
        {
            g.Same(op.Inputs[0], dy);
        }
    }

    public override void Arguments(Op op, CallWriter call) => call.Tensor(op.Inputs[0]).Tensor(op.Output);
}
