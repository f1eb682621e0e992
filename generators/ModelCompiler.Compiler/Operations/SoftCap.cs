using ModelCompiler.Compiler.Graph;
using ModelCompiler.Planning;

namespace ModelCompiler.Compiler.Operations;

/// <summary>cap · tanh(x / cap). Inputs: x.</summary>
public sealed record SoftCap(float Cap) : Operation
{
    public override string Formula => "y = c tanh(x/c)";

    public override Shape[] Infer(Value[] inputs) => [inputs[0].Shape];

    public override int[] MayOverwrite(int output) => [0];

    public override void Gradient(Op op, GradientBuilder g)
    {
        if (g.Of(op.Output) is { } dy)
        {
            g.Add(op.Inputs[0], new SoftCapGradient(Cap), [dy, op.Output]);
        }
    }

    public override Flops Flops(Op op, Sizes sizes) => new(20.0 * op.Inputs[0].Shape.Columns.Evaluate(sizes), 0);

    public override void Arguments(Op op, CallWriter call) => call.Tensor(op.Inputs[0]).Tensor(op.Output).Named("cap", Cap);
}

/// <summary>Gradient of <see cref="SoftCap"/> from its output. Inputs: dy, y.</summary>
public sealed record SoftCapGradient(float Cap) : Operation
{
    public override string Formula => "dx = dy (1 − (y/c)²)";

    public override Shape[] Infer(Value[] inputs) => [inputs[0].Shape];

    public override int[] MayOverwrite(int output) => [0, 1];

    public override void Arguments(Op op, CallWriter call) => call.Tensor(op.Inputs[0]).Tensor(op.Inputs[1]).Tensor(op.Output).Named("cap", Cap);
}
