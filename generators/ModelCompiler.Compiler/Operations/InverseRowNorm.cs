using ModelCompiler.Compiler.Graph;
using ModelCompiler.Planning;

namespace ModelCompiler.Compiler.Operations;

/// <summary>
/// 1 / ‖row of W + s B A‖ without that sum: ‖w‖² + 2 s b · (A wᵀ) + s² b (A Aᵀ) bᵀ of each row. A constant to backward (Liu et al. 2024,
/// section 4.3). Inputs: ‖w‖² [1, out], B [out, r], A Wᵀ [r, out], A Aᵀ [r, r].
/// </summary>
public sealed record InverseRowNorm : Operation
{
    public override string Formula => "n = 1 / ‖W + s B A‖";

    public override Shape[] Infer(Value[] inputs)
    {
        ShapeException.Require(
            inputs[0].Shape.Columns == inputs[1].Shape.Rows && inputs[2].Shape == new Shape(inputs[1].Shape.Columns, inputs[1].Shape.Rows)
                && inputs[3].Shape == new Shape(inputs[1].Shape.Columns, inputs[1].Shape.Columns),
            Method,
            inputs);
        return [inputs[0].Shape];
    }

    public override void Gradient(Op op, GradientBuilder g)
    {
    }

    public override void Arguments(Op op, CallWriter call) =>
        call.Tensor(op.Inputs[0]).Tensor(op.Inputs[1]).Tensor(op.Inputs[2]).Tensor(op.Inputs[3]).Tensor(op.Output).Named("scale", op.Scale);
}
