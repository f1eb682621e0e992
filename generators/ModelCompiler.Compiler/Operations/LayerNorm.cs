using ModelCompiler.Compiler.Graph;
using ModelCompiler.Operations;
using ModelCompiler.Planning;

namespace ModelCompiler.Compiler.Operations;

/// <summary>Layer norm. Inputs: x, w and, where it has one, bias. Outputs: y, statistics (mean and rstd).</summary>
public sealed record LayerNorm(NormShape Shape) : Operation
{
    public override string Formula => "n = (x − mean) rstd w + b";

    public override Recompute Recompute => Recompute.Cheap;

    public override bool IsStatistic(int output) => output == 1;

    public override Shape[] Infer(Value[] inputs)
    {
        ShapeException.Require(inputs[0].Shape.Columns == inputs[1].Shape.Columns, Method, inputs);
        return [inputs[0].Shape, new Shape(inputs[0].Shape.Rows, new Dim(2))];
    }

    public override void Gradient(Op op, GradientBuilder g)
    {
        if (g.Of(op.Output) is { } dy)
        {
            Value x = op.Inputs[0];
            Value statistics = op.Outputs[1]!;
            if (op.Inputs.Length > 2)
            {
                g.Add(op.Inputs[2], new LinearGradientBias(), [dy]);
            }

            g.Add(op.Inputs[1], new LayerNormGradientWeight(), [dy, x, statistics]);
            g.Add(x, new LayerNormGradient(), [dy, x, op.Inputs[1], statistics]);
        }
    }

    public override Flops Flops(Op op, Sizes sizes) => new(6.0 * op.Inputs[0].Shape.Columns.Evaluate(sizes), 0);

    public override void Arguments(Op op, CallWriter call)
    {
        call.Tensor(op.Inputs[0]).Tensor(op.Inputs[1]).Tensor(op.Inputs.Length > 2 ? op.Inputs[2] : null)
            .Tensor(op.Outputs[0]).Output("statistics", op.Outputs[1]).Shape(Shape);
    }
}

/// <summary>Input gradient of <see cref="LayerNorm"/>. Inputs: dy, x, w, statistics.</summary>
public sealed record LayerNormGradient : Operation
{
    public override string Formula => "dx = rstd (g − mean(g) − x̂ mean(g x̂)), g = dy w";

    public override bool Accumulates => true;

    public override Shape[] Infer(Value[] inputs) => [inputs[1].Shape];

    public override int[] MayOverwrite(int output) => [0];

    public override Flops Flops(Op op, Sizes sizes) => new(10.0 * op.Inputs[0].Shape.Columns.Evaluate(sizes), 0);

    public override void Arguments(Op op, CallWriter call) =>
        call.Tensor(op.Inputs[0]).Tensor(op.Inputs[1]).Tensor(op.Inputs[2]).Tensor(op.Inputs[3]).Tensor(op.Output).Named("addend", op.Accumulator);
}

/// <summary>Weight gradient of <see cref="LayerNorm"/>. Inputs: dy, x, statistics.</summary>
public sealed record LayerNormGradientWeight : Operation
{
    public override string Formula => "dw += Σ dy x̂";

    public override Shape[] Infer(Value[] inputs) => [];

    public override void Arguments(Op op, CallWriter call) =>
        call.Tensor(op.Inputs[0]).Tensor(op.Inputs[1]).Tensor(op.Inputs[2]).Gradient(op);
}
