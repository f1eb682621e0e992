using System.Globalization;
using ModelCompiler.Compiler.Description;
using ModelCompiler.Compiler.Graph;
using ModelCompiler.Compiler.Lowering;
using ModelCompiler.Compiler.Operations;
using ModelCompiler.Compiler.Passes;
using ModelCompiler.Compiler.Validation;
using ModelCompiler.Planning;

namespace ModelCompiler.Compiler.Adapters;

/// <summary>
/// AdaLoRA: y += s · B (E ∘ (A dropout(x))), where values of E are set to 0 until a budget is met (Zhang et al. 2023, sections 3.1 to 3.3; there
/// P, Λ and Q). The slot has the rank that the budget starts with.
/// </summary>
public sealed class AdaLora : AdapterExpansion
{
    private static readonly (string Name, double Otherwise)[] s_ofTheBudget =
        [("Warmup", 0.1), ("Final", 0.3), ("Interval", 10), ("Orthogonality", 0.1f), ("Beta1", 0.85f), ("Beta2", 0.85f)];

    public override string Attribute => "AdaLora";

    public override string Method => "AdaLoRA";

    public override string RuntimeType => "AdaLoraAdapter";

    internal override IEnumerable<AdapterProblem> Check(AdapterSpec adapter, RecipeSpec recipe, IReadOnlyList<ProjectionSize> targets)
    {
        double rank = adapter.Argument("Rank", 8), initial = adapter.Argument("InitialRank", 0);
        if (initial != 0 && initial < rank)
        {
            yield return new AdapterProblem(ProblemIds.InitialRankBelowRank, "InitialRank", Text(initial), Text(rank));
        }

        string narrow = string.Join(", ", targets.Where(t => initial > Math.Min(t.In, t.Out) && rank <= Math.Min(t.In, t.Out)).Select(static t => $"{t.Projection} ({Text(t.In)} to {Text(t.Out)})"));
        if (narrow.Length > 0)
        {
            yield return new AdapterProblem(ProblemIds.RankTooLarge, "InitialRank", Text(initial), narrow);
        }

        double warmup = Argument(adapter, "Warmup"), final = Argument(adapter, "Final");
        if (!(warmup >= 0 && final >= 0 && warmup + final < 1))
        {
            yield return new AdapterProblem(ProblemIds.PartsOfStepsUnusable, adapter.Arguments.Any(static a => a.Name == "Final") ? "Final" : "Warmup", Text(warmup), Text(final));
        }

        foreach ((string name, bool fits, string needed) in new[]
        {
            ("Interval", Argument(adapter, "Interval") >= 1, "1 or more"),
            ("Orthogonality", Argument(adapter, "Orthogonality") is >= 0 and < double.PositiveInfinity, "0 or more, and finite"),
            ("Beta1", Argument(adapter, "Beta1") is >= 0 and < 1, "from 0 to below 1"),
            ("Beta2", Argument(adapter, "Beta2") is >= 0 and < 1, "from 0 to below 1"),
        })
        {
            if (!fits)
            {
                yield return new AdapterProblem(ProblemIds.AllocationUnusable, name, name, Text(Argument(adapter, name)), needed);
            }
        }

        AdapterSpec first = recipe.Adapters.First(other => other.Method == Attribute);
        string[] different = [.. s_ofTheBudget.Select(static a => a.Name).Where(name => !Argument(adapter, name).Equals(Argument(first, name)))];
        if (different.Length > 0)
        {
            yield return new AdapterProblem(ProblemIds.BudgetsDiffer, adapter.Arguments.Any(a => a.Name == different[0]) ? different[0] : "", string.Join(" and ", different));
        }
    }

    public override Planning.AdapterSlot Describe(AdapterSpec adapter, ProjectionSite projection)
    {
        Planning.AdapterSlot row = base.Describe(adapter, projection);
        int initial = (int)adapter.Argument("InitialRank", 0) is > 0 and var given ? given : Math.Min((3 * row.Rank + 1) / 2, row.MaximumRank);
        return row with
        {
            Rank = initial,
            Alpha = adapter.Argument("Alpha", 0) == 0 ? initial : row.Alpha,
            Settings = [new AdapterSetting("TargetRank", row.Rank), .. s_ofTheBudget.Select(a => new AdapterSetting(a.Name, Argument(adapter, a.Name)))],
        };
    }

    public override ParameterInfo[] Parameters(Graph.AdapterSlot slot, Planning.AdapterSlot row, ProjectionSite projection)
    {
        Dim one = new(1), rank = Dim.Rank(slot.Index), inputs = new(projection.In), outputs = new(projection.Out);
        ParameterInfo Trained(string letter, Dim rows, Dim columns, ParameterKind kind = ParameterKind.Matrix) => new(
            $"{slot.Path}.Adapter.{letter}", rows, columns, WeightFormat.Compute, projection.PerLayer, true, kind, slot.Index, row.FirstLayer);
        ParameterInfo Kept(string path, Dim rows, Dim columns) => new(
            $"{slot.Path}.Adapter.{path}", rows, columns, WeightFormat.Compute, projection.PerLayer, false, ParameterKind.Matrix, slot.Index, row.FirstLayer, TrainingOnly: true);
        return
        [
            Trained("A", rank, inputs), Trained("B", outputs, rank), Trained("E", one, rank, ParameterKind.Gain),
            Kept("SensitivityA", rank, inputs), Kept("UncertaintyA", rank, inputs),
            Kept("SensitivityB", outputs, rank), Kept("UncertaintyB", outputs, rank),
            Kept("SensitivityE", one, rank), Kept("UncertaintyE", one, rank),
            Kept("Scores", new Dim(3), rank), Kept("Mask", one, rank), Kept("Overlap", rank, rank),
        ];
    }

    public override Value Expand(Rewrite g, Graph.AdapterSlot slot, Planning.AdapterSlot row, Value x, Value y, Value[] parameters)
    {
        string name = slot.Path.Substring(slot.Path.LastIndexOf('.') + 1);
        if (row.Dropout > 0 && g.Training)
        {
            x = g.Add(name + "Dropped", new Dropout(slot), [x]);
        }

        Value h = g.Add(name + "Lora", new Linear(), [x, parameters[0]]);
        Value e = g.Add(name + "Weighted", new ScaleChannels(), [h, parameters[2]]);
        return g.Add(y.Name, new Linear(), [e, parameters[1]], accumulator: y, scale: new ScalarRef(slot, ScalarKind.Scale));
    }

    private static double Argument(AdapterSpec adapter, string name) => adapter.Argument(name, s_ofTheBudget.First(a => a.Name == name).Otherwise);

    // Some arguments are floats; writing one as a double would show digits that nobody wrote.
    private static string Text(double number) => ((float)number).ToString("R", CultureInfo.InvariantCulture);
}
