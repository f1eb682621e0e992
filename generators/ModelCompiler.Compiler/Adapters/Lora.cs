using ModelCompiler.Compiler.Description;
using ModelCompiler.Compiler.Graph;
using ModelCompiler.Compiler.Operations;
using ModelCompiler.Compiler.Passes;
using ModelCompiler.Planning;

namespace ModelCompiler.Compiler.Adapters;

/// <summary>LoRA: y += s · B (A dropout(x)) (Hu et al. 2021, section 4.1).</summary>
public class Lora : AdapterExpansion
{
    public override string Attribute => "Lora";

    public override string Method => "LoRA";

    public override string RuntimeType => "LoraAdapter";

    public override SlotRow Describe(AdapterSpec adapter, Projection projection)
    {
        int rank = (int)adapter.Argument("Rank", 8);
        float alpha = (float)adapter.Argument("Alpha", 0);
        return new SlotRow(
            projection.Path,
            projection.Module,
            Method,
            rank,
            Math.Min(projection.In, projection.Out),
            alpha == 0 ? rank : alpha,
            adapter.Argument("RankStabilized", 0) != 0,
            (float)adapter.Argument("Dropout", 0),
            projection.PerLayer ? adapter.FirstLayer : 0);
    }

    public override ParameterRow[] Parameters(AdapterSlot slot, SlotRow row, Projection projection) =>
    [
        new($"{row.Module}.lora_A.weight", $"{slot.Path}.Adapter.A", Dim.Rank(slot.Index), new Dim(projection.In), WeightFormat.Compute, projection.PerLayer, true, false, slot.Index, row.FirstLayer),
        new($"{row.Module}.lora_B.weight", $"{slot.Path}.Adapter.B", new Dim(projection.Out), Dim.Rank(slot.Index), WeightFormat.Compute, projection.PerLayer, true, false, slot.Index, row.FirstLayer),
    ];

    public override Value Expand(Rewrite g, AdapterSlot slot, SlotRow row, Value x, Value y, Value[] parameters)
    {
        string name = slot.Path.Substring(slot.Path.LastIndexOf('.') + 1);
        if (row.Dropout > 0 && g.Training)
        {
            x = g.Add(name + "Dropped", new Dropout(slot), [x]);
        }

        Value h = g.Add(name + "Low", new Linear(), [x, parameters[0]]);
        return g.Add(y.Name, new Linear(), [h, parameters[1]], accumulator: y, scale: new ScalarRef(slot, ScalarKind.Scale));
    }
}
