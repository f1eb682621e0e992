using ModelCompiler.Compiler.Graph;
using ModelCompiler.Planning;

namespace ModelCompiler.Compiler.Operations;

/// <summary>Rows of a table by token id. Inputs: ids, table.</summary>
public sealed record Embedding(float Factor) : Operation
{
    public override string Formula => "x = E[ids]";

    public override Value? Gathered(Op op) => op.Inputs[1];

    public override Shape[] Infer(Value[] inputs) => [new Shape(inputs[0].Shape.Rows, inputs[1].Shape.Columns)];

    public override void Gradient(Op op, GradientBuilder g)
    {
        if (g.Of(op.Output) is { } dy)
        {
            g.Add(op.Inputs[1], new EmbeddingGradient(Factor), [dy, op.Inputs[0]]);
        }
    }

    public override void Arguments(Op op, CallWriter call)
    {
        call.Tensor(op.Inputs[0]).Tensor(op.Inputs[1]).Tensor(op.Output);
        if (Factor != 1)
        {
            call.Named("scale", Factor);
        }
    }
}

/// <summary>Adds each row's gradient to its token's row of the table's gradient.</summary>
public sealed record EmbeddingGradient(float Factor) : Operation
{
    public override string Formula => "dE[ids] += dx";

    public override Value? Gathered(Op op) => op.GradientOf;

    public override Shape[] Infer(Value[] inputs) => [];

    public override void Arguments(Op op, CallWriter call)
    {
        call.Tensor(op.Inputs[0]).Tensor(op.Inputs[1]).Gradient(op);
        if (Factor != 1)
        {
            call.Named("scale", Factor);
        }
    }
}
