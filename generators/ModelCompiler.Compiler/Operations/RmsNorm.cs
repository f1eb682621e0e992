using ModelCompiler.Compiler.Graph;
using ModelCompiler.Operations;
using ModelCompiler.Planning;

namespace ModelCompiler.Compiler.Operations;

/// <summary>Root-mean-square norm, of as many runs of channels side by side as the weight is narrower than x. Inputs: x, w. Outputs: y, rstd.</summary>
public sealed record RmsNorm(NormShape Shape) : Operation
{
    public override string Formula => "n = x rstd(x) w";

    public override Recompute Recompute => Recompute.Cheap;

    public override bool IsStatistic(int output) => output == 1;

    public override Shape[] Infer(Value[] inputs)
    {
        int runs = inputs[0].Shape.Columns.Factor / inputs[1].Shape.Columns.Factor;
        ShapeException.Require(inputs[0].Shape.Columns == new Dim(runs * inputs[1].Shape.Columns.Factor), Method, inputs);
        return [inputs[0].Shape, new Shape(inputs[0].Shape.Rows, new Dim(runs))];
    }

    public override void Gradient(Op op, GradientBuilder g)
    {
        if (g.Of(op.Output) is { } dy)
        {
            Value x = op.Inputs[0];
            Value rstd = op.Outputs[1]!;
            g.Add(op.Inputs[1], new RmsNormGradientWeight(), [dy, x, rstd]);
            g.Add(x, new RmsNormGradient(), [dy, x, op.Inputs[1], rstd]);
        }
    }

    public override Flops Flops(Op op, Sizes sizes) => new(4.0 * op.Inputs[0].Shape.Columns.Evaluate(sizes), 0);

    public override void Arguments(Op op, CallWriter call) =>
        call.Tensor(op.Inputs[0]).Tensor(op.Inputs[1]).Tensor(op.Outputs[0]).Output("rstd", op.Outputs[1]).Shape(Shape);
}

/// <summary>Input gradient of <see cref="RmsNorm"/>. Inputs: dy, x, w, rstd.</summary>
public sealed record RmsNormGradient : Operation
{
    public override string Formula => "dx = rstd (dy w − x rstd² mean(dy w x))";

    public override bool Accumulates => true;

    public override Shape[] Infer(Value[] inputs) => [inputs[1].Shape];

    public override int[] MayOverwrite(int output) => [0];

    public override Flops Flops(Op op, Sizes sizes) => new(8.0 * op.Inputs[0].Shape.Columns.Evaluate(sizes), 0);

    public override void Arguments(Op op, CallWriter call) =>
        call.Tensor(op.Inputs[0]).Tensor(op.Inputs[1]).Tensor(op.Inputs[2]).Tensor(op.Inputs[3]).Tensor(op.Output).Named("addend", op.Accumulator);
}

/// <summary>Weight gradient of <see cref="RmsNorm"/>. Inputs: dy, x, rstd.</summary>
public sealed record RmsNormGradientWeight : Operation
{
    public override string Formula => "dw += Σ dy x rstd";

    public override Shape[] Infer(Value[] inputs) => [];

    public override void Arguments(Op op, CallWriter call) =>
        call.Tensor(op.Inputs[0]).Tensor(op.Inputs[1]).Tensor(op.Inputs[2]).Gradient(op);
}
