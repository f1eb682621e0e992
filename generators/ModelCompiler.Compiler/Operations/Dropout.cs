using ModelCompiler.Compiler.Graph;

namespace ModelCompiler.Compiler.Operations;

/// <summary>Dropout on an adapter's input; the mask is a function of a key, so it is never stored. Inputs: x.</summary>
public sealed record Dropout(AdapterSlot Slot) : Operation
{
    public override string Formula => "drop";

    public override Recompute Recompute => Recompute.Always;

    public override Shape[] Infer(Value[] inputs) => [inputs[0].Shape];

    public override int[] MayOverwrite(int output) => [0];

    public override void Gradient(Op op, GradientBuilder g)
    {
        if (g.Of(op.Output) is { } dy)
        {
            g.Add(op.Inputs[0], new Dropout(Slot), [dy]);
        }
    }

    public override void Arguments(Op op, CallWriter call)
    {
        call.Tensor(op.Inputs[0]).Tensor(op.Output)
            .Named("rate", new ScalarRef(Slot, ScalarKind.DropoutRate)).Named("key", new ScalarRef(Slot, ScalarKind.DropoutKey));
        if (op.Inputs[0].Shape.Rows.Symbol == Planning.DimSymbol.Rows)
        {
            call.Verbatim("firstRow: act.FirstRow");
        }
    }
}
