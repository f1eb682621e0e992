namespace ModelCompiler.Compiler.Graph;

/// <summary>a + b, which the graph itself makes where two gradients meet. Inputs: a, b.</summary>
public sealed record Add : Operation
{
    public override string Formula => "sum";

    public override Shape[] Infer(Value[] inputs)
    {
        ShapeException.Require(inputs[0].Shape == inputs[1].Shape, Method, inputs);
        return [inputs[0].Shape];
    }

    public override int[] MayOverwrite(int output) => [0, 1];

    public override void Gradient(Op op, GradientBuilder g)
    {
        if (g.Of(op.Output) is { } dy)
        {
            g.Same(op.Inputs[0], dy);
            g.Same(op.Inputs[1], dy);
        }
    }

    public override void Arguments(Op op, CallWriter call) => call.Tensor(op.Inputs[0]).Tensor(op.Inputs[1]).Tensor(op.Output);
}
