using ModelCompiler.Compiler.Graph;
using ModelCompiler.Planning;

namespace ModelCompiler.Compiler.Operations;

/// <summary>The tanh form of GELU. Inputs: x.</summary>
public sealed record Gelu : Operation
{
    public override string Formula => "h = gelu(u)";

    public override Recompute Recompute => Recompute.Cheap;

    public override Shape[] Infer(Value[] inputs) => [inputs[0].Shape];

    public override int[] MayOverwrite(int output) => [0];

    public override void Gradient(Op op, GradientBuilder g)
    {
        if (g.Of(op.Output) is { } dy)
        {
            g.Add(op.Inputs[0], new GeluGradient(), [dy, op.Inputs[0]]);
        }
    }

    public override Flops Flops(Op op, Sizes sizes) => new(20.0 * op.Inputs[0].Shape.Columns.Evaluate(sizes), 0);

    public override void Arguments(Op op, CallWriter call) => call.Tensor(op.Inputs[0]).Tensor(op.Output);
}

/// <summary>Gradient of <see cref="Gelu"/>. Inputs: dy, x.</summary>
public sealed record GeluGradient : Operation
{
    public override string Formula => "du = dh gelu'(u)";

    public override Shape[] Infer(Value[] inputs) => [inputs[1].Shape];

    public override int[] MayOverwrite(int output) => [0, 1];

    public override Flops Flops(Op op, Sizes sizes) => new(25.0 * op.Inputs[0].Shape.Columns.Evaluate(sizes), 0);

    public override void Arguments(Op op, CallWriter call) => call.Tensor(op.Inputs[0]).Tensor(op.Inputs[1]).Tensor(op.Output);
}
