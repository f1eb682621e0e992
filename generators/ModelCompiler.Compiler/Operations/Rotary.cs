using ModelCompiler.Compiler.Graph;
using ModelCompiler.Planning;

namespace ModelCompiler.Compiler.Operations;

/// <summary>Rotary positions. Inputs: x.</summary>
public sealed record Rotary(int HeadWidth, int RotaryWidth, float Theta, FrequencyScaling Scaling) : OpRow
{
    public override string Formula => "rotate by position";

    public override Shape[] Infer(Value[] inputs)
    {
        ShapeException.Require(RotaryWidth % 2 == 0 && RotaryWidth <= HeadWidth && inputs[0].Shape.Columns.Factor % HeadWidth == 0, Method, inputs);
        return [inputs[0].Shape];
    }

    public override int[] MayOverwrite(int output) => [0];

    public override void Gradient(Op op, GradientBuilder g)
    {
        if (g.Of(op.Output) is { } dy)
        {
            g.Add(op.Inputs[0], new RotaryGradient(HeadWidth, RotaryWidth, Theta, Scaling), [dy]);
        }
    }

    public override Flops Flops(Op op, Sizes sizes) => new(3.0 * op.Inputs[0].Shape.Columns.Evaluate(sizes), 0);

    public override void Arguments(Op op, CallWriter call) =>
        call.Tensor(op.Inputs[0]).Tensor(op.Output).Named("headWidth", HeadWidth).Named("rotaryWidth", RotaryWidth).Named("theta", Theta).Named("scaling", Scaling);
}

/// <summary>The inverse rotation. Inputs: dy.</summary>
public sealed record RotaryGradient(int HeadWidth, int RotaryWidth, float Theta, FrequencyScaling Scaling) : OpRow
{
    public override string Formula => "rotate back";

    public override Shape[] Infer(Value[] inputs) => [inputs[0].Shape];

    public override int[] MayOverwrite(int output) => [0];

    public override Flops Flops(Op op, Sizes sizes) => new(3.0 * op.Inputs[0].Shape.Columns.Evaluate(sizes), 0);

    public override void Arguments(Op op, CallWriter call) =>
        call.Tensor(op.Inputs[0]).Tensor(op.Output).Named("headWidth", HeadWidth).Named("rotaryWidth", RotaryWidth).Named("theta", Theta).Named("scaling", Scaling);
}
