using ModelCompiler.Adapters;
using ModelCompiler.Compiler.Description;
using ModelCompiler.Compiler.Graph;
using ModelCompiler.Compiler.Operations;
using ModelCompiler.Planning;

namespace ModelCompiler.Compiler.Adapters;

/// <summary>
/// L1RA: y += s · B (c ∘ A dropout(x)) with a gate c per direction and s = alpha / the first rank, whatever the rank becomes (Singh et al. 2025).
/// Ranks move between adapters while training goes on: the text is the same, the handles change.
/// </summary>
public sealed class L1ra : AdapterExpansion<L1raOptions>
{
    private protected override IEnumerable<AdapterProblem> Check(AdapterSite<L1raOptions> site)
    {
        L1raOptions options = site.Options;
        string[] different = site.Differing(
            nameof(options.Mode), nameof(options.GateRate), nameof(options.Lambda), nameof(options.PruneThreshold),
            nameof(options.UpdateRatio), nameof(options.Reassign), nameof(options.ExcludePruned), nameof(options.OptimizerOnReassign));
        if (different.Length > 0)
        {
            yield return new(ProblemIds.RankSchedulesDiffer, different[0], string.Join(" and ", different));
        }

        if (options.MaximumRank != 0 && options.MaximumRank < options.Rank)
        {
            yield return new(ProblemIds.MaximumRankBelowRank, nameof(options.MaximumRank), Text(options.MaximumRank), Text(options.Rank));
        }

        foreach ((string name, double value, bool fits, string range) in new[]
        {
            (nameof(options.GateRate), options.GateRate, options.GateRate is > 0 and < double.PositiveInfinity, "positive and finite"),
            (nameof(options.Lambda), options.Lambda, options.Lambda is >= 0 and < double.PositiveInfinity, "finite and at least 0"),
            (nameof(options.PruneThreshold), options.PruneThreshold, options.PruneThreshold is >= 0 and < 1, "in [0, 1)"),
            (nameof(options.UpdateRatio), options.UpdateRatio, options.UpdateRatio is > 0 and <= 1, "in (0, 1]"),
        })
        {
            if (!fits)
            {
                yield return new(ProblemIds.RankScheduleUnusable, name, name, Text(value), range);
            }
        }
    }

    public override ParameterInfo[] Parameters(Graph.AdapterSlot slot, Planning.AdapterSlot row, ProjectionSite projection)
    {
        Dim rank = Dim.Rank(slot.Index);
        return
        [
            Parameter(slot, row, projection, "A", rank, new Dim(projection.In)),
            Parameter(slot, row, projection, "C", new Dim(1), rank, kind: ParameterKind.Gain),
            Parameter(slot, row, projection, "B", new Dim(projection.Out), rank),
        ];
    }

    public override Value Expand(Rewrite g, Graph.AdapterSlot slot, Planning.AdapterSlot row, Value x, Value y, Value[] parameters)
    {
        Value low = g.Add(Name(slot, "Lora"), new Linear(), [Drop(g, slot, row, x), parameters[0]]);
        Value gated = g.Add(Name(slot, "Gated"), new ScaleChannels(), [low, parameters[1]]);
        return AddTo(g, slot, y, gated, parameters[2]);
    }

    private static string Text(IConvertible number) => AdapterSite<L1raOptions>.Text(number);
}
