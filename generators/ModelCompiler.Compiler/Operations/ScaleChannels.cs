using ModelCompiler.Compiler.Graph;

namespace ModelCompiler.Compiler.Operations;

/// <summary>A learned factor per channel. Inputs: x, g [1, width].</summary>
public sealed record ScaleChannels : Operation
{
    public override string Formula => "y = x g";

    public override bool Accumulates => true;

    public override Recompute Recompute => Recompute.Cheap;

    public override Shape[] Infer(Value[] inputs)
    {
        ShapeException.Require(inputs[0].Shape.Columns == inputs[1].Shape.Columns, Method, inputs);
        return [inputs[0].Shape];
    }

    public override int[] MayOverwrite(int output) => [0];

    public override void Gradient(Op op, GradientBuilder g)
    {
        if (g.Of(op.Output) is { } dy)
        {
            g.Add(op.Inputs[1], new ScaleChannelsGradientWeight(), [dy, op.Inputs[0]]);
            g.Add(op.Inputs[0], new ScaleChannels(), [dy, op.Inputs[1]]);
            if (op.Accumulator is not null)
            {
                g.Same(op.Accumulator, dy);
            }
        }
    }

    public override void Arguments(Op op, CallWriter call) =>
        call.Tensor(op.Inputs[0]).Tensor(op.Inputs[1]).Tensor(op.Output).Named("addend", op.Accumulator);
}

/// <summary>Gradient of the factors. Inputs: dy, x.</summary>
public sealed record ScaleChannelsGradientWeight : Operation
{
    public override string Formula => "dg += Σ dy x";

    public override Shape[] Infer(Value[] inputs) => [];

    public override void Arguments(Op op, CallWriter call) => call.Tensor(op.Inputs[0]).Tensor(op.Inputs[1]).Gradient(op);
}
