using ModelCompiler.Compiler.Graph;
using ModelCompiler.Planning;

namespace ModelCompiler.Compiler.Operations;

/// <summary>The summed loss of a chunk of rows. Inputs: logits, targets, loss. Outputs: log-sum-exp.</summary>
public sealed record CrossEntropy : Operation
{
    public override string Formula => "loss += Σ lse(z) − z[target]";

    public override Shape[] Infer(Value[] inputs) => [new Shape(inputs[0].Shape.Rows, new Dim(1))];

    public override void Gradient(Op op, GradientBuilder g) =>
        g.Add(op.Inputs[0], new CrossEntropyGradient(), [op.Inputs[0], op.Inputs[1], op.Output]);

    public override Flops Flops(Op op, Sizes sizes) => new(20.0 * op.Inputs[0].Shape.Columns.Evaluate(sizes), 0);

    public override void Arguments(Op op, CallWriter call) =>
        call.Tensor(op.Inputs[0]).Tensor(op.Inputs[1]).Tensor(op.Outputs[0]).Tensor(op.Inputs[2]);
}

/// <summary>Gradient of the loss with respect to the logits. Inputs: logits, targets, log-sum-exp.</summary>
public sealed record CrossEntropyGradient : Operation
{
    public override string Formula => "dz = scale (softmax(z) − onehot)";

    public override Shape[] Infer(Value[] inputs) => [inputs[0].Shape];

    public override int[] MayOverwrite(int output) => [0];

    public override Flops Flops(Op op, Sizes sizes) => new(20.0 * op.Inputs[0].Shape.Columns.Evaluate(sizes), 0);

    public override void Arguments(Op op, CallWriter call) =>
        call.Tensor(op.Inputs[0]).Tensor(op.Inputs[1]).Tensor(op.Inputs[2]).Tensor(op.Output);
}
