using ModelCompiler.Compiler.Graph;

namespace ModelCompiler.Compiler.Operations;

/// <summary>Some rows of a matrix of activations, by the same kernel that looks up embeddings. Inputs: indices of rows, matrix.</summary>
public sealed record Gather : Operation
{
    public override string Method => nameof(Embedding);

    public override string Formula => "h = x[rows]";

    public override Value? Gathered(Op op) => op.Inputs[1];

    public override Shape[] Infer(Value[] inputs) => [new Shape(inputs[0].Shape.Rows, inputs[1].Shape.Columns)];

    public override void Gradient(Op op, GradientBuilder g)
    {
        if (g.Of(op.Output) is { } dh)
        {
            g.Add(op.Inputs[1], new GatherGradient(), [dh, op.Inputs[0]]);
        }
    }

    public override void Arguments(Op op, CallWriter call) => call.Tensor(op.Inputs[0]).Tensor(op.Inputs[1]).Tensor(op.Output);
}

/// <summary>
/// Adds each row's gradient to the row it was taken from. The matrix's gradient is zeroed before the first gather of a loop, so that
/// rows nobody takes have none. Inputs: dh, indices of rows.
/// </summary>
public sealed record GatherGradient : Operation
{
    public override string Method => nameof(EmbeddingGradient);

    public override string Formula => "dx[rows] += dh";

    public override Value? Gathered(Op op) => op.Outputs[0];

    public override Shape[] Infer(Value[] inputs) => [];

    public override void Arguments(Op op, CallWriter call) => call.Tensor(op.Inputs[0]).Tensor(op.Inputs[1]).Tensor(op.Output);
}
