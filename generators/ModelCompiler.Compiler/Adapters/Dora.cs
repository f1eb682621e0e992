using ModelCompiler.Compiler.Description;
using ModelCompiler.Compiler.Graph;
using ModelCompiler.Compiler.Lowering;
using ModelCompiler.Compiler.Operations;
using ModelCompiler.Compiler.Passes;
using ModelCompiler.Compiler.Validation;
using ModelCompiler.Planning;

namespace ModelCompiler.Compiler.Adapters;

/// <summary>
/// DoRA: y = m / ‖W + s B A‖ ∘ (W x + s B (A dropout(x))) + b, the norm of each row a constant to backward (Liu et al. 2024, sections 4.1 and 4.3).
/// </summary>
public sealed class Dora : AdapterExpansion
{
    public override string Attribute => "Dora";

    public override string Method => "DoRA";

    public override string RuntimeType => "DoraAdapter";

    internal override IEnumerable<AdapterProblem> Check(AdapterSpec adapter, RecipeSpec recipe, IReadOnlyList<ProjectionSize> targets)
    {
        if (recipe.Adapters.FirstOrDefault(other => other.Method != Attribute) is { } other)
        {
            yield return new AdapterProblem(ProblemIds.DoraBesideOthers, "", other.Method);
        }
    }

    public override ParameterInfo[] Parameters(Graph.AdapterSlot slot, Planning.AdapterSlot row, ProjectionSite projection)
    {
        Dim one = new(1), rank = Dim.Rank(slot.Index), inputs = new(projection.In), outputs = new(projection.Out);
        ParameterInfo Make(string path, Dim rows, Dim columns, bool trainable = true, ParameterKind kind = ParameterKind.Matrix) => new(
            $"{slot.Path}.Adapter.{path}", rows, columns, WeightFormat.Compute, projection.PerLayer, trainable, kind, slot.Index, row.FirstLayer);
        return
        [
            Make("A", rank, inputs),
            Make("B", outputs, rank),
            Make("M", one, outputs, kind: ParameterKind.Gain),
            Make("SquaredNorms", one, outputs, trainable: false, ParameterKind.Gain),
        ];
    }

    public override Value Expand(Rewrite g, Graph.AdapterSlot slot, Planning.AdapterSlot row, Value x, Value y, Value[] parameters)
    {
        string name = slot.Path.Substring(slot.Path.LastIndexOf('.') + 1);
        (Value a, Value b, Value m, Value squares) = (parameters[0], parameters[1], parameters[2], parameters[3]);
        var scale = new ScalarRef(slot, ScalarKind.Scale);
        (Value weight, Value? bias) = g.TakeBias(y);
        if (row.Dropout > 0 && g.Training)
        {
            x = g.Add(name + "Dropped", new Dropout(slot), [x]);
        }

        Value h = g.Add(name + "Lora", new Linear(), [x, a]);
        Value z = g.Add(name + "Direction", new Linear(), [h, b], accumulator: y, scale: scale);
        Value inner = g.Add(name + "Inner", new ParameterProduct(), [a, weight]);
        Value gram = g.Add(name + "Gram", new ParameterProduct(), [a, a]);
        Value n = g.Add(name + "InverseNorm", new InverseRowNorm(), [squares, b, inner, gram], scale: scale);
        return g.Add(y.Name, new Magnitude(), bias is null ? [z, m, n] : [z, m, n, bias]);
    }
}
