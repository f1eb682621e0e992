using ModelCompiler.Compiler.Graph;
using ModelCompiler.Planning;

namespace ModelCompiler.Compiler.Operations;

/// <summary>
/// The product of two parameters, by the same kernel that multiplies activations: a quantized one is decoded on its way. It is taken as a
/// constant and has no gradient, and its cost does not grow with the tokens. Inputs: A [r, in], W [out, in].
/// </summary>
public sealed record ParameterProduct : Operation
{
    public override string Method => nameof(Linear);

    public override string Formula => "p = A Wᵀ";

    public override string Describe(Op op) => $"p = {Linear.Letter(op.Inputs[0])} {Linear.Letter(op.Inputs[1])}ᵀ";

    public override Shape[] Infer(Value[] inputs)
    {
        ShapeException.Require(inputs[0].Shape.Columns == inputs[1].Shape.Columns, Method, inputs);
        return [new Shape(inputs[0].Shape.Rows, inputs[1].Shape.Rows)];
    }

    public override void Gradient(Op op, GradientBuilder g)
    {
    }

    public override void Arguments(Op op, CallWriter call) => call.Tensor(op.Inputs[0]).Tensor(op.Inputs[1]).Tensor(op.Output);
}
