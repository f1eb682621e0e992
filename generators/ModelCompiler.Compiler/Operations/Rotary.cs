using ModelCompiler.Compiler.Graph;
using ModelCompiler.Operations;
using ModelCompiler.Planning;

namespace ModelCompiler.Compiler.Operations;

/// <summary>Rotary positions. Inputs: x.</summary>
public sealed record Rotary(RotaryShape Shape) : Operation
{
    public override string Formula => "rotate by position";

    public override Shape[] Infer(Value[] inputs)
    {
        ShapeException.Require(Shape.Width % 2 == 0 && Shape.Width <= Shape.HeadWidth && inputs[0].Shape.Columns.Factor % Shape.HeadWidth == 0, Method, inputs);
        return [inputs[0].Shape];
    }

    public override int[] MayOverwrite(int output) => [0];

    public override void Gradient(Op op, GradientBuilder g)
    {
        if (g.Of(op.Output) is { } dy)
        {
            g.Add(op.Inputs[0], new RotaryGradient(Shape), [dy]);
        }
    }

    public override Flops Flops(Op op, Sizes sizes) => new(3.0 * op.Inputs[0].Shape.Columns.Evaluate(sizes), 0);

    public override void Arguments(Op op, CallWriter call) =>
        call.Tensor(op.Inputs[0]).Tensor(op.Output).Shape(Shape);
}

/// <summary>The inverse rotation. Inputs: dy.</summary>
public sealed record RotaryGradient(RotaryShape Shape) : Operation
{
    public override string Formula => "rotate back";

    public override Shape[] Infer(Value[] inputs) => [inputs[0].Shape];

    public override int[] MayOverwrite(int output) => [0];

    public override Flops Flops(Op op, Sizes sizes) => new(3.0 * op.Inputs[0].Shape.Columns.Evaluate(sizes), 0);

    public override void Arguments(Op op, CallWriter call) =>
        call.Tensor(op.Inputs[0]).Tensor(op.Output).Shape(Shape);
}
