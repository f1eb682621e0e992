using ModelCompiler.Compiler.Graph;
using ModelCompiler.Planning;

namespace ModelCompiler.Compiler.Operations;

/// <summary>
/// Gives the outputs of a weight the magnitudes m in the place of its rows' norms (Liu et al. 2024, equation 5). Inputs: z [T, out], m [1, out],
/// the inverse norms n [1, out] and, where the projection has one, bias [1, out].
/// </summary>
public sealed record Magnitude : Operation
{
    public override string Formula => "y = m n z";

    public override string Describe(Op op) => op.Inputs.Length > 3 ? "y = m n z + b" : Formula;

    public override bool Accumulates => true;

    public override Recompute Recompute => Recompute.Cheap;

    public override Shape[] Infer(Value[] inputs)
    {
        ShapeException.Require(inputs.Skip(1).All(i => i.Shape.Columns == inputs[0].Shape.Columns), Method, inputs);
        return [inputs[0].Shape];
    }

    public override int[] MayOverwrite(int output) => [0];

    public override void Gradient(Op op, GradientBuilder g)
    {
        if (g.Of(op.Output) is not { } dy)
        {
            return;
        }

        (Value z, Value m, Value n) = (op.Inputs[0], op.Inputs[1], op.Inputs[2]);
        g.Add(m, new MagnitudeGradient(), [dy, z, n]);
        if (op.Inputs.Length > 3)
        {
            g.Add(op.Inputs[3], new LinearGradientBias(), [dy]);
        }

        g.Add(z, new Magnitude(), [dy, m, n]);
        if (op.Accumulator is not null)
        {
            g.Same(op.Accumulator, dy);
        }
    }

    public override Flops Flops(Op op, Sizes sizes) => new(2.0 * op.Inputs[0].Shape.Columns.Evaluate(sizes), 0);

    public override void Arguments(Op op, CallWriter call) =>
        call.Tensor(op.Inputs[0]).Tensor(op.Inputs[1]).Tensor(op.Inputs[2]).Tensor(op.Output)
            .Named("bias", op.Inputs.Length > 3 ? op.Inputs[3] : null).Named("addend", op.Accumulator);
}

/// <summary>Gradient of the magnitudes. Inputs: dy, z, n.</summary>
public sealed record MagnitudeGradient : Operation
{
    public override string Formula => "dm += n Σ dy z";

    public override Shape[] Infer(Value[] inputs) => [];

    public override void Arguments(Op op, CallWriter call) => call.Tensor(op.Inputs[0]).Tensor(op.Inputs[1]).Tensor(op.Inputs[2]).Gradient(op);
}
