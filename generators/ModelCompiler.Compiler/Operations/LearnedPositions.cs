using ModelCompiler.Compiler.Graph;

namespace ModelCompiler.Compiler.Operations;

/// <summary>Adds a learned vector per position. Inputs: x, table.</summary>
public sealed record LearnedPositions : Operation
{
    public override string Formula => "x += P[position]";

    public override Value? Gathered(Op op) => op.Inputs[1];

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
            g.Add(op.Inputs[1], new LearnedPositionsGradient(), [dy]);
            g.Same(op.Inputs[0], dy);
        }
    }

    public override void Arguments(Op op, CallWriter call) => call.Tensor(op.Inputs[0]).Tensor(op.Inputs[1]).Tensor(op.Output);
}

/// <summary>Adds each row's gradient to its position's row.</summary>
public sealed record LearnedPositionsGradient : Operation
{
    public override string Formula => "dP[position] += dx";

    public override Value? Gathered(Op op) => op.GradientOf;

    public override Shape[] Infer(Value[] inputs) => [];

    public override void Arguments(Op op, CallWriter call) => call.Tensor(op.Inputs[0]).Gradient(op);
}
