using ModelCompiler.Compiler.Graph;
using ModelCompiler.Planning;

namespace ModelCompiler.Compiler.Operations;

/// <summary>
/// The mean of every group of consecutive channels (QA-LoRA's pooling, Xu et al. 2023, section 3.3). Backward never recomputes it: it is a
/// group size smaller than what it is made of. Inputs: x.
/// </summary>
/// <param name="Size">Channels of a group.</param>
public sealed record GroupMean(int Size) : Operation
{
    public override string Formula => "p = mean of groups of x";

    public override string Describe(Op op) => FormattableString.Invariant($"p = means of {Size} x");

    public override Shape[] Infer(Value[] inputs)
    {
        Dim width = inputs[0].Shape.Columns;
        ShapeException.Require(Size > 0 && width.Symbol == DimSymbol.One && width.Factor % Size == 0, Method, inputs);
        return [new Shape(inputs[0].Shape.Rows, new Dim(width.Factor / Size))];
    }

    public override void Gradient(Op op, GradientBuilder g)
    {
        if (g.Of(op.Output) is { } dp)
        {
            g.Add(op.Inputs[0], new GroupMeanGradient(Size), [dp]);
        }
    }

    public override void Arguments(Op op, CallWriter call) => call.Tensor(op.Inputs[0]).Tensor(op.Output);
}

/// <summary>Every channel's share of its group's gradient. Inputs: dp.</summary>
/// <param name="Size">Channels of a group.</param>
public sealed record GroupMeanGradient(int Size) : Operation
{
    public override string Formula => "dx = dp of the group / its size";

    public override string Describe(Op op) => FormattableString.Invariant($"dx = dp / {Size}");

    public override bool Accumulates => true;

    public override Shape[] Infer(Value[] inputs) => [new Shape(inputs[0].Shape.Rows, new Dim(inputs[0].Shape.Columns.Factor * Size))];

    public override void Arguments(Op op, CallWriter call) => call.Tensor(op.Inputs[0]).Tensor(op.Output).Named("addend", op.Accumulator);
}
