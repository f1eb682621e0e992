using ModelCompiler.Compiler.Graph;
using ModelCompiler.Planning;

namespace ModelCompiler.Compiler.Operations;

/// <summary>
/// A linear and an adapter's low-rank term in one kernel: the term extends the product's inner dimension, which costs nothing,
/// where a second pass over y costs 10 to 15 % of the whole. Execution only. Inputs: x, W, h, B and, where it has one, bias.
/// </summary>
public sealed record LowRankLinear : Operation
{
    public override string Formula => "y = x Wᵀ + s h Bᵀ";

    public override bool Accumulates => true;

    public override Shape[] Infer(Value[] inputs) => [new Shape(inputs[0].Shape.Rows, inputs[1].Shape.Rows)];

    public override Flops Flops(Op op, Sizes sizes) => Linear.Product(op.Inputs[1], sizes) + Linear.Product(op.Inputs[3], sizes);

    public override void Arguments(Op op, CallWriter call) =>
        call.Tensor(op.Inputs[0]).Tensor(op.Inputs[1]).Tensor(op.Inputs[2]).Tensor(op.Inputs[3]).Tensor(op.Output)
            .Named("scale", op.Scale).Named("bias", op.Inputs.Length > 4 ? op.Inputs[4] : null).Named("addend", op.Accumulator);
}

/// <summary>The input gradient of a linear and of its adapter in one kernel. Execution only. Inputs: dy, W, e, A.</summary>
public sealed record LowRankLinearGradientInput : Operation
{
    public override string Formula => "dx = dy W + e A";

    public override bool Accumulates => true;

    public override Shape[] Infer(Value[] inputs) => [new Shape(inputs[0].Shape.Rows, inputs[1].Shape.Columns)];

    public override Flops Flops(Op op, Sizes sizes) => Linear.Product(op.Inputs[1], sizes) + Linear.Product(op.Inputs[3], sizes);

    public override void Arguments(Op op, CallWriter call) =>
        call.Tensor(op.Inputs[0]).Tensor(op.Inputs[1]).Tensor(op.Inputs[2]).Tensor(op.Inputs[3]).Tensor(op.Output).Named("addend", op.Accumulator);
}
