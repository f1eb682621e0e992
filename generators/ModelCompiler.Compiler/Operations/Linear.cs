using ModelCompiler.Compiler.Graph;
using ModelCompiler.Planning;

namespace ModelCompiler.Compiler.Operations;

/// <summary>x Wᵀ + bias. Inputs: x [T, in], W [out, in] and, where it has one, bias [1, out].</summary>
public sealed record Linear : Operation
{
    public override string Formula => "y = x Wᵀ";

    public override string Describe(Op op) => $"y = {Factor(op)}x {Letter(op.Inputs[1])}ᵀ{(op.Inputs.Length > 2 ? " + b" : "")}";

    public override bool Accumulates => true;

    public override Shape[] Infer(Value[] inputs)
    {
        ShapeException.Require(inputs[0].Shape.Columns == inputs[1].Shape.Columns, Method, inputs);
        return [new Shape(inputs[0].Shape.Rows, inputs[1].Shape.Rows)];
    }

    public override void Gradient(Op op, GradientBuilder g)
    {
        if (g.Of(op.Output) is not { } dy)
        {
            return;
        }

        Value x = op.Inputs[0];
        Value w = op.Inputs[1];
        g.Add(w, w.Parameter is { SupportsPartialUpdate: true } ? new LinearGradientLiveWeight() : new LinearGradientWeight(), [dy, x], op.Scale);
        if (op.Inputs.Length > 2)
        {
            g.Add(op.Inputs[2], new LinearGradientBias(), [dy], op.Scale);
        }

        g.Add(x, new LinearGradientInput(), [dy, w], op.Scale);
        if (op.Accumulator is not null)
        {
            g.Same(op.Accumulator, dy);
        }
    }

    public override Flops Flops(Op op, Sizes sizes) => Product(op.Inputs[1], sizes);

    public override void Arguments(Op op, CallWriter call) =>
        call.Tensor(op.Inputs[0]).Tensor(op.Inputs[1]).Tensor(op.Output)
            .Named("bias", op.Inputs.Length > 2 ? op.Inputs[2] : null).Named("addend", op.Accumulator).Named("scale", op.Scale);

    /// <summary>The letter a weight has in formulas: A, B and so on of an adapter, E for the embedding, W.</summary>
    internal static string Letter(Value weight) => weight.Parameter switch
    {
        { Slot: >= 0, Path: var path } => path.Substring(path.LastIndexOf('.') + 1),
        { Path: "TokenEmbedding" } => "E",
        _ => "W",
    };

    /// <summary>"s " where the operation is scaled.</summary>
    internal static string Factor(Op op) => op.Scale is null ? "" : "s ";

    /// <summary>Operations of one product with a weight, per row.</summary>
    internal static Flops Product(Value w, Sizes sizes) => new(2.0 * w.Shape.Rows.Evaluate(sizes) * w.Shape.Columns.Evaluate(sizes), 0);
}

/// <summary>dy W. Inputs: dy [T, out], W [out, in].</summary>
public sealed record LinearGradientInput : Operation
{
    public override string Formula => "dx = dy W";

    public override string Describe(Op op) => $"dx = {Linear.Factor(op)}dy {Linear.Letter(op.Inputs[1])}";

    public override bool Accumulates => true;

    public override Shape[] Infer(Value[] inputs) => [new Shape(inputs[0].Shape.Rows, inputs[1].Shape.Columns)];

    public override Flops Flops(Op op, Sizes sizes) => Linear.Product(op.Inputs[1], sizes);

    public override void Arguments(Op op, CallWriter call) =>
        call.Tensor(op.Inputs[0]).Tensor(op.Inputs[1]).Tensor(op.Output).Named("addend", op.Accumulator).Named("scale", op.Scale);
}

/// <summary>dyᵀ x, added to a weight's gradient. Inputs: dy [T, out], x [T, in].</summary>
public sealed record LinearGradientWeight : Operation
{
    public override string Formula => "dW += dyᵀ x";

    public override string Describe(Op op) => $"d{Linear.Letter(op.GradientOf!)} += {Linear.Factor(op)}dyᵀ x";

    public override Shape[] Infer(Value[] inputs) => [];

    public override Flops Flops(Op op, Sizes sizes) => Linear.Product(op.GradientOf!, sizes);

    public override void Arguments(Op op, CallWriter call) =>
        call.Tensor(op.Inputs[0]).Tensor(op.Inputs[1]).Gradient(op).Named("scale", op.Scale);
}

/// <summary>Column sums of dy, added to a bias's gradient. Inputs: dy.</summary>
public sealed record LinearGradientBias : Operation
{
    public override string Formula => "db += Σ dy";

    public override Shape[] Infer(Value[] inputs) => [];

    public override void Arguments(Op op, CallWriter call) => call.Tensor(op.Inputs[0]).Gradient(op).Named("scale", op.Scale);
}
