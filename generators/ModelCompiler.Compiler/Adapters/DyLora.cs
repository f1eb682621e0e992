using System.Globalization;
using ModelCompiler.Adapters;
using ModelCompiler.Compiler.Description;
using ModelCompiler.Compiler.Graph;
using ModelCompiler.Compiler.Operations;
using ModelCompiler.Planning;

namespace ModelCompiler.Compiler.Adapters;

/// <summary>
/// DyLoRA: LoRA's operations over the first b directions, with its scale at rank b (Valipour et al. 2023, section 3: alpha / b). The rank b of a step
/// is a number of the run: the text is that of LoRA, the handles are narrower.
/// </summary>
public sealed class DyLora : AdapterExpansion<DyLoraOptions>
{
    private protected override IEnumerable<AdapterProblem> Check(AdapterSite<DyLoraOptions> site)
    {
        DyLoraOptions options = site.Options;
        if (!(options.FullRankShare >= 0 && options.FullRankShare <= 1))
        {
            string share = options.FullRankShare.ToString("R", CultureInfo.InvariantCulture);
            yield return new AdapterProblem(ProblemIds.FullRankShareOutOfRange, nameof(options.FullRankShare), share);
        }

        string[] different = site.Differing(
            nameof(options.Rank), nameof(options.Draw), nameof(options.LastOnly), nameof(options.FullRankShare));
        if (different.Length > 0)
        {
            yield return new AdapterProblem(ProblemIds.NestedRanksDiffer, different[0], string.Join(" and ", different));
        }
    }

    public override ParameterInfo[] Parameters(Graph.AdapterSlot slot, Planning.AdapterSlot row, ProjectionSite projection) =>
    [
        Parameter(slot, row, projection, "A", Dim.Rank(slot.Index), new Dim(projection.In)) with { SupportsPartialUpdate = true },
        Parameter(slot, row, projection, "B", new Dim(projection.Out), Dim.Rank(slot.Index)) with { SupportsPartialUpdate = true },
    ];

    public override Value Expand(Rewrite g, Graph.AdapterSlot slot, Planning.AdapterSlot row, Value x, Value y, Value[] parameters)
    {
        Value h = g.Add(Name(slot, "Lora"), new Linear(), [Drop(g, slot, row, x), parameters[0]]);
        return AddTo(g, slot, y, h, parameters[1]);
    }
}
