using ModelCompiler.Compiler.Graph;
using ModelCompiler.Planning;

namespace ModelCompiler.Compiler.Operations;

/// <summary>
/// dyᵀ x for the rows and columns of a weight's gradient that the optimizer updates now; where those are none, nothing is computed. Inputs:
/// dy [T, out], x [T, in].
/// </summary>
public sealed record LinearGradientLiveWeight : Operation
{
    public override string Method => nameof(LinearGradientWeight);

    public override string Formula => "dW += dyᵀ x, where live";

    public override string Describe(Op op) => $"d{Linear.Letter(op.GradientOf!)} += {Linear.Factor(op)}dyᵀ x, where live";

    public override Shape[] Infer(Value[] inputs) => [];

    public override Flops Flops(Op op, Sizes sizes) => Linear.Product(op.GradientOf!, sizes);

    public override void Arguments(Op op, CallWriter call) =>
        call.Live(op, "Outputs", op.Inputs[0]).Live(op, "Inputs", op.Inputs[1]).LiveGradient(op).Named("scale", op.Scale);
}
