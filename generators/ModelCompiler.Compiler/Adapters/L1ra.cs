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
/// L1RA: y += s · B (c ∘ A dropout(x)) with a gate c per direction and s = alpha / the first rank, whatever the rank becomes (Singh et al. 2025).
/// Ranks move between adapters while training goes on: the text is the same, the handles change.
/// </summary>
public sealed class L1ra : AdapterExpansion
{
    // The attribute's defaults.
    private static readonly (string Name, double Default)[] s_settings =
    [
        ("Mode", 0), ("GateRate", 2e-2), ("Lambda", 1e-3), ("PruneThreshold", 0), ("UpdateRatio", 0.1), ("Reassign", 1), ("ExcludePruned", 1), ("OptimizerOnReassign", 0),
    ];

    public override string Attribute => "L1ra";

    public override string Method => "L1RA";

    public override string RuntimeType => "L1raAdapter";

    internal override IEnumerable<AdapterProblem> Check(AdapterSpec adapter, RecipeSpec recipe, IReadOnlyList<ProjectionSize> targets)
    {
        AdapterSpec first = recipe.Adapters.First(other => other.Method == Attribute);
        string[] different = [.. s_settings.Where(s => !adapter.Argument(s.Name, s.Default).Equals(first.Argument(s.Name, s.Default))).Select(static s => s.Name)];
        if (different.Length > 0)
        {
            yield return new(ProblemIds.RankSchedulesDiffer, different[0], string.Join(" and ", different));
        }

        double rank = adapter.Argument("Rank", 8);
        double maximum = adapter.Argument("MaximumRank", 0);
        if (maximum != 0 && maximum < rank)
        {
            yield return new(ProblemIds.MaximumRankBelowRank, "MaximumRank", Text(maximum), Text(rank));
        }

        (string Name, bool Fits, string Range)[] ranges =
        [
            ("GateRate", adapter.Argument("GateRate", 2e-2) is > 0 and < double.PositiveInfinity, "above 0"),
            ("Lambda", adapter.Argument("Lambda", 1e-3) is >= 0 and < double.PositiveInfinity, "at least 0"),
            ("PruneThreshold", adapter.Argument("PruneThreshold", 0) is >= 0 and < 1, "from 0 to below 1"),
            ("UpdateRatio", adapter.Argument("UpdateRatio", 0.1) is > 0 and <= 1, "above 0 and at most 1"),
        ];
        foreach ((string name, bool fits, string range) in ranges)
        {
            if (!fits)
            {
                yield return new(ProblemIds.RankScheduleUnusable, name, name, Text(adapter.Argument(name, 0)), range);
            }
        }
    }

    public override Planning.AdapterSlot Describe(AdapterSpec adapter, ProjectionSite projection)
    {
        Planning.AdapterSlot row = base.Describe(adapter, projection);
        int maximum = (int)adapter.Argument("MaximumRank", 0);
        return row with
        {
            MaximumRank = Math.Min(row.MaximumRank, maximum == 0 ? 2 * row.Rank : maximum),
            AdaptiveRanks = true,
            MovingRanks = true,
            Settings = [.. s_settings.Select(s => new AdapterSetting(s.Name, adapter.Argument(s.Name, s.Default)))],
        };
    }

    public override ParameterInfo[] Parameters(Graph.AdapterSlot slot, Planning.AdapterSlot row, ProjectionSite projection)
    {
        Dim rank = Dim.Rank(slot.Index);
        ParameterInfo Make(string path, Dim rows, Dim columns, ParameterKind kind = ParameterKind.Matrix) => new(
            $"{slot.Path}.Adapter.{path}", rows, columns, WeightFormat.Compute, projection.PerLayer, true, kind, slot.Index, row.FirstLayer);
        return
        [
            Make("A", rank, new Dim(projection.In)),
            Make("C", new Dim(1), rank, ParameterKind.Gain),
            Make("B", new Dim(projection.Out), rank),
        ];
    }

    public override Value Expand(Rewrite g, Graph.AdapterSlot slot, Planning.AdapterSlot row, Value x, Value y, Value[] parameters)
    {
        string name = slot.Path.Substring(slot.Path.LastIndexOf('.') + 1);
        if (row.Dropout > 0 && g.Training)
        {
            x = g.Add(name + "Dropped", new Dropout(slot), [x]);
        }

        Value low = g.Add(name + "Lora", new Linear(), [x, parameters[0]]);
        Value gated = g.Add(name + "Gated", new ScaleChannels(), [low, parameters[1]]);
        return g.Add(y.Name, new Linear(), [gated, parameters[2]], accumulator: y, scale: new ScalarRef(slot, ScalarKind.Scale));
    }

    private static string Text(double number) => number.ToString("R", CultureInfo.InvariantCulture);
}
