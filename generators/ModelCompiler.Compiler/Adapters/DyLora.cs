using System.Globalization;
using ModelCompiler.Compiler.Description;
using ModelCompiler.Compiler.Graph;
using ModelCompiler.Compiler.Lowering;
using ModelCompiler.Compiler.Passes;
using ModelCompiler.Compiler.Validation;
using ModelCompiler.Planning;

namespace ModelCompiler.Compiler.Adapters;

/// <summary>
/// DyLoRA: LoRA's operations over the first b directions, with its scale at rank b (Valipour et al. 2023, section 3: alpha / b). The rank b of a step
/// is a number of the run: the text is that of LoRA, the handles are narrower.
/// </summary>
public sealed class DyLora : Lora
{
    public override string Attribute => "DyLora";

    public override string Method => "DyLoRA";

    public override string RuntimeType => "DyLoraAdapter";

    internal override IEnumerable<AdapterProblem> Check(AdapterSpec adapter, RecipeSpec recipe, IReadOnlyList<ProjectionSize> targets)
    {
        double share = adapter.Argument("FullRankShare", 0);
        if (!(share >= 0 && share <= 1))
        {
            yield return new AdapterProblem(ProblemIds.FullRankShareOutOfRange, "FullRankShare", share.ToString("R", CultureInfo.InvariantCulture));
        }

        AdapterSpec first = recipe.Adapters.First(other => other.Method == Attribute);
        string[] different = [.. new[] { ("Rank", 8.0), ("Draw", 0), ("LastOnly", 0), ("FullRankShare", 0) }
            .Where(a => !adapter.Argument(a.Item1, a.Item2).Equals(first.Argument(a.Item1, a.Item2))).Select(static a => a.Item1)];
        if (different.Length > 0)
        {
            yield return new AdapterProblem(ProblemIds.NestedRanksDiffer, different[0], string.Join(" and ", different));
        }
    }

    public override Planning.AdapterSlot Describe(AdapterSpec adapter, ProjectionSite projection) => base.Describe(adapter, projection) with
    {
        NestedRanks = true,
        Settings = [new("Draw", adapter.Argument("Draw", 0)), new("LastOnly", adapter.Argument("LastOnly", 0)), new("FullRankShare", adapter.Argument("FullRankShare", 0))],
    };

    public override ParameterInfo[] Parameters(Graph.AdapterSlot slot, Planning.AdapterSlot row, ProjectionSite projection) =>
        base.Parameters(slot, row, projection).Select(static p => p with { SupportsPartialUpdate = true }).ToArray();
}
