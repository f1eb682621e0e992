using ModelCompiler.Adapters;
using ModelCompiler.Compiler.Description;
using ModelCompiler.Compiler.Graph;
using ModelCompiler.Compiler.Operations;
using ModelCompiler.Planning;

namespace ModelCompiler.Compiler.Adapters;

/// <summary>
/// AdaLoRA: y += s · B (E ∘ (A dropout(x))), where values of E are set to 0 until a budget is met (Zhang et al. 2023, sections 3.1 to 3.3; there
/// P, Λ and Q). The slot has the rank that the budget starts with.
/// </summary>
public sealed class AdaLora : AdapterExpansion<AdaLoraOptions>
{
    private protected override IEnumerable<AdapterProblem> Check(AdapterSite<AdaLoraOptions> site)
    {
        AdaLoraOptions options = site.Options;
        (int rank, int initial) = (options.Rank, options.InitialRank);
        if (initial != 0 && initial < rank)
        {
            yield return new AdapterProblem(ProblemIds.InitialRankBelowRank, nameof(options.InitialRank), Text(initial), Text(rank));
        }

        string narrow = site.Names(
            t => initial > Math.Min(t.In, t.Out) && rank <= Math.Min(t.In, t.Out), static t => $"{Text(t.In)} to {Text(t.Out)}");
        if (narrow.Length > 0)
        {
            yield return new AdapterProblem(ProblemIds.RankTooLarge, nameof(options.InitialRank), Text(initial), narrow);
        }

        (double warmup, double final) = (options.Warmup, options.Final);
        if (!(warmup >= 0 && final >= 0 && warmup + final < 1))
        {
            string at = site.Gives(nameof(options.Final)) ? nameof(options.Final) : nameof(options.Warmup);
            yield return new AdapterProblem(ProblemIds.PartsOfStepsUnusable, at, Text(warmup), Text(final));
        }

        foreach ((string name, IConvertible value, bool fits, string needed) in new (string, IConvertible, bool, string)[]
        {
            (nameof(options.Interval), options.Interval, options.Interval >= 1, "at least 1"),
            (nameof(options.Orthogonality), options.Orthogonality, options.Orthogonality is >= 0 and < float.PositiveInfinity,
                "finite and at least 0"),
            (nameof(options.Beta1), options.Beta1, options.Beta1 is >= 0 and < 1, "in [0, 1)"),
            (nameof(options.Beta2), options.Beta2, options.Beta2 is >= 0 and < 1, "in [0, 1)"),
        })
        {
            if (!fits)
            {
                yield return new AdapterProblem(ProblemIds.AllocationUnusable, name, name, Text(value), needed);
            }
        }

        string[] different = site.Differing(
            nameof(options.Warmup), nameof(options.Final), nameof(options.Interval),
            nameof(options.Orthogonality), nameof(options.Beta1), nameof(options.Beta2));
        if (different.Length > 0)
        {
            string at = site.Gives(different[0]) ? different[0] : "";
            yield return new AdapterProblem(ProblemIds.BudgetsDiffer, at, string.Join(" and ", different));
        }
    }

    public override ParameterInfo[] Parameters(Graph.AdapterSlot slot, Planning.AdapterSlot row, ProjectionSite projection)
    {
        Dim one = new(1), rank = Dim.Rank(slot.Index), inputs = new(projection.In), outputs = new(projection.Out);
        ParameterInfo Kept(string name, Dim rows, Dim columns) =>
            Parameter(slot, row, projection, name, rows, columns, trainable: false) with { TrainingOnly = true };
        return
        [
            Parameter(slot, row, projection, "A", rank, inputs), Parameter(slot, row, projection, "B", outputs, rank),
            Parameter(slot, row, projection, "E", one, rank, kind: ParameterKind.Gain),
            Kept("SensitivityA", rank, inputs), Kept("UncertaintyA", rank, inputs),
            Kept("SensitivityB", outputs, rank), Kept("UncertaintyB", outputs, rank),
            Kept("SensitivityE", one, rank), Kept("UncertaintyE", one, rank),
            Kept("Scores", new Dim(3), rank), Kept("Mask", one, rank), Kept("Overlap", rank, rank),
        ];
    }

    public override Value Expand(Rewrite g, Graph.AdapterSlot slot, Planning.AdapterSlot row, Value x, Value y, Value[] parameters)
    {
        Value h = g.Add(Name(slot, "Lora"), new Linear(), [Drop(g, slot, row, x), parameters[0]]);
        Value e = g.Add(Name(slot, "Weighted"), new ScaleChannels(), [h, parameters[2]]);
        return AddTo(g, slot, y, e, parameters[1]);
    }

    private static string Text(IConvertible number) => AdapterSite<AdaLoraOptions>.Text(number);
}
