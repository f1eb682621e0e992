using ModelCompiler.Adapters;
using ModelCompiler.Compiler.Description;
using ModelCompiler.Compiler.Graph;
using ModelCompiler.Compiler.Operations;
using ModelCompiler.Planning;

namespace ModelCompiler.Compiler.Adapters;

/// <summary>
/// DoRA: y = m / ‖W + s B A‖ ∘ (W x + s B (A dropout(x))) + b, the norm of each row a constant to backward (Liu et al. 2024, sections 4.1 and 4.3).
/// </summary>
public sealed class Dora : AdapterExpansion<DoraOptions>
{
    private protected override IEnumerable<AdapterProblem> Check(AdapterSite<DoraOptions> site)
    {
        if (site.Recipe.Adapters.FirstOrDefault(other => other.Method != Attribute) is { } other)
        {
            yield return new AdapterProblem(ProblemIds.DoraBesideOthers, "", other.Method);
        }
    }

    public override ParameterInfo[] Parameters(Graph.AdapterSlot slot, Planning.AdapterSlot row, ProjectionSite projection)
    {
        Dim one = new(1), rank = Dim.Rank(slot.Index), inputs = new(projection.In), outputs = new(projection.Out);
        return
        [
            Parameter(slot, row, projection, "A", rank, inputs),
            Parameter(slot, row, projection, "B", outputs, rank),
            Parameter(slot, row, projection, "M", one, outputs, kind: ParameterKind.Gain),
            Parameter(slot, row, projection, "SquaredNorms", one, outputs, trainable: false, ParameterKind.Gain),
        ];
    }

    public override Value Expand(Rewrite g, Graph.AdapterSlot slot, Planning.AdapterSlot row, Value x, Value y, Value[] parameters)
    {
        (Value a, Value b, Value m, Value squares) = (parameters[0], parameters[1], parameters[2], parameters[3]);
        var scale = new ScalarRef(slot, ScalarKind.Scale);
        (Value weight, Value? bias) = g.TakeBias(y);
        Value h = g.Add(Name(slot, "Lora"), new Linear(), [Drop(g, slot, row, x), a]);
        Value z = g.Add(Name(slot, "Direction"), new Linear(), [h, b], accumulator: y, scale: scale);
        Value inner = g.Add(Name(slot, "Inner"), new ParameterProduct(), [a, weight]);
        Value gram = g.Add(Name(slot, "Gram"), new ParameterProduct(), [a, a]);
        Value n = g.Add(Name(slot, "InverseNorm"), new InverseRowNorm(), [squares, b, inner, gram], scale: scale);
        return g.Add(y.Name, new Magnitude(), bias is null ? [z, m, n] : [z, m, n, bias]);
    }
}
