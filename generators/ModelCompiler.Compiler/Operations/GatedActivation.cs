using ModelCompiler.Compiler.Graph;
using ModelCompiler.Planning;

namespace ModelCompiler.Compiler.Operations;

/// <summary>What the gated activations share: f(gate) · up. Inputs: gate, up.</summary>
public abstract record GatedActivation : Operation
{
    /// <summary>The row that is its gradient.</summary>
    public abstract Operation GradientRow { get; }

    public override Recompute Recompute => Recompute.Cheap;

    public override Shape[] Infer(Value[] inputs)
    {
        ShapeException.Require(inputs[0].Shape == inputs[1].Shape, Method, inputs);
        return [inputs[0].Shape];
    }

    public override int[] MayOverwrite(int output) => [0, 1];

    public override void Gradient(Op op, GradientBuilder g)
    {
        if (g.Of(op.Output) is { } dh)
        {
            g.AddMany(op.Inputs, GradientRow, dh, op.Inputs[0], op.Inputs[1]);
        }
    }

    public override Flops Flops(Op op, Sizes sizes) => new(20.0 * op.Inputs[0].Shape.Columns.Evaluate(sizes), 0);

    public override void Arguments(Op op, CallWriter call) => call.Tensor(op.Inputs[0]).Tensor(op.Inputs[1]).Tensor(op.Output);
}

/// <summary>
/// What the gradients of gated activations share. Inputs: dh, gate, up. Outputs: dgate, dup and, where <see cref="Passes.FuseRecomputed"/>
/// wants it, the activation itself.
/// </summary>
public abstract record GatedActivationGradient : Operation
{
    public override string Formula => "dg, du";

    public override string Describe(Op op) => op.Outputs.Length > 2 ? "dg, du, h" : Formula;

    public override Shape[] Infer(Value[] inputs) => [inputs[1].Shape, inputs[2].Shape];

    public override int[] MayOverwrite(int output) => output switch
    {
        0 => [1, 0],
        1 => [2, 0],
        _ => [0],
    };

    public override Flops Flops(Op op, Sizes sizes) => new((op.Outputs.Length > 2 ? 27.0 : 25.0) * op.Inputs[0].Shape.Columns.Evaluate(sizes), 0);

    public override void Arguments(Op op, CallWriter call) =>
        call.Tensor(op.Inputs[0]).Tensor(op.Inputs[1]).Tensor(op.Inputs[2]).Tensor(op.Outputs[0]).Tensor(op.Outputs[1])
            .Named("h", op.Outputs.Length > 2 ? op.Outputs[2] : null);
}
