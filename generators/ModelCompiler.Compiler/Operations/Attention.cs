using ModelCompiler.Compiler.Graph;
using ModelCompiler.Operations;
using ModelCompiler.Planning;

namespace ModelCompiler.Compiler.Operations;

/// <summary>Causal attention. Inputs: q, k, v. Outputs: o, log-sum-exp.</summary>
public sealed record Attention(AttentionShape Shape) : Operation
{
    public override string Formula => $"o = softmax(q kᵀ/√{Shape.HeadWidth}) v";

    public override bool IsStatistic(int output) => output == 1;

    public override Shape[] Infer(Value[] inputs)
    {
        ShapeException.Require(
            inputs[0].Shape.Columns.Factor == Shape.Width && inputs[1].Shape.Columns.Factor == Shape.KeyValueWidth
            && inputs[2].Shape.Columns.Factor == Shape.KeyValueWidth && Shape.Heads % Shape.KeyValueHeads == 0,
            Method,
            inputs);
        return [inputs[0].Shape, new Shape(inputs[0].Shape.Rows, new Dim(Shape.Heads))];
    }

    public override void Gradient(Op op, GradientBuilder g)
    {
        if (g.Of(op.Output) is { } dO)
        {
            g.AddMany(op.Inputs, new AttentionGradient(Shape), [dO, .. op.Inputs, op.Output, op.Outputs[1]!]);
        }
    }

    public override Flops Flops(Op op, Sizes sizes) => new(0, 2.0 * Shape.Width);

    public override void Arguments(Op op, CallWriter call) =>
        call.Tensor(op.Inputs[0]).Tensor(op.Inputs[1]).Tensor(op.Inputs[2]).Tensor(op.Outputs[0])
            .Output("logSumExp", op.Outputs[1]).Shape(Shape);
}

/// <summary>Gradients of <see cref="Attention"/>. Inputs: do, q, k, v, o, log-sum-exp. Outputs: dq, dk, dv.</summary>
public sealed record AttentionGradient(AttentionShape Shape) : Operation
{
    public override string Formula => "dq, dk, dv";

    public override Shape[] Infer(Value[] inputs) => [inputs[1].Shape, inputs[2].Shape, inputs[3].Shape];

    public override Flops Flops(Op op, Sizes sizes) => new(0, 5.0 * Shape.Width);

    public override void Arguments(Op op, CallWriter call)
    {
        foreach (Value input in op.Inputs)
        {
            call.Tensor(input);
        }

        call.Tensor(op.Outputs[0]).Tensor(op.Outputs[1]).Tensor(op.Outputs[2]).Shape(Shape);
    }
}

/// <summary>Attention of new tokens over a cache of keys and values. Generation only. Inputs: q, k, v, key cache, value cache.</summary>
public sealed record CachedAttention(AttentionShape Shape) : Operation
{
    public override string Formula => $"o = softmax(q Kᵀ/√{Shape.HeadWidth}) V";

    public override Shape[] Infer(Value[] inputs) => [inputs[0].Shape];

    public override Flops Flops(Op op, Sizes sizes) => new(0, 4.0 * Shape.Width);

    public override void Arguments(Op op, CallWriter call)
    {
        foreach (Value input in op.Inputs)
        {
            call.Tensor(input);
        }

        call.Tensor(op.Output).Shape(Shape);
    }
}
