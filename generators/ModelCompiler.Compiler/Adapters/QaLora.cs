using ModelCompiler.Adapters;
using ModelCompiler.Compiler.Description;
using ModelCompiler.Compiler.Graph;
using ModelCompiler.Compiler.Operations;
using ModelCompiler.Planning;

namespace ModelCompiler.Compiler.Adapters;

/// <summary>
/// QA-LoRA: y += s · B (A dropout(p)) with p the means of groups of inputs (Xu et al. 2023, section 3.3). What is added is the same for
/// all inputs of a group, so that the zero points of an Int4 weight take it exactly.
/// </summary>
public sealed class QaLora : AdapterExpansion<QaLoraOptions>
{
    private protected override IEnumerable<AdapterProblem> Check(AdapterSite<QaLoraOptions> site)
    {
        (int given, int rank) = (site.Options.GroupSize, site.Options.Rank);
        WeightFormat FormatOf(ProjectionSize target) => site.Recipe.FormatOf(target.Projection);
        int SizeOf(ProjectionSize target) => Size(site.Options, FormatOf(target));
        string uneven = site.Names(t => given < 0 || (given > 0 && t.In % given != 0), static t => $"{Text(t.In)} inputs");
        if (uneven.Length > 0)
        {
            yield return new(ProblemIds.GroupSizeDoesNotDivideInputs, nameof(site.Options.GroupSize), Text(given), uneven);
        }

        string ungrouped = site.Names(t => SizeOf(t) == 0, t => FormatOf(t).ToString());
        if (ungrouped.Length > 0)
        {
            yield return new(ProblemIds.GroupSizeMissing, "", ungrouped);
        }

        // A rank above a side of the weight is reported for every method.
        string few = site.Names(
            t => SizeOf(t) is > 0 and int size && t.In % size == 0 && rank > t.In / size && rank <= Math.Min(t.In, t.Out),
            t => $"{Text(t.In / SizeOf(t))} groups");
        if (few.Length > 0)
        {
            yield return new(ProblemIds.RankAboveGroups, nameof(site.Options.Rank), Text(rank), few);
        }
    }

    private protected override IEnumerable<AdapterProblem> Warn(AdapterSite<QaLoraOptions> site)
    {
        WeightFormat FormatOf(ProjectionSize target) => site.Recipe.FormatOf(target.Projection);
        string inexact = site.Names(
            t => FormatOf(t) is { BlockSize: > 0 } format
                && (format.Storage != Storage.Int4 || Size(site.Options, format) % format.BlockSize != 0),
            t => FormatOf(t).ToString());
        if (inexact.Length > 0)
        {
            yield return new(ProblemIds.MergeNotExact, nameof(site.Options.GroupSize), Text(site.Options.GroupSize), inexact);
        }
    }

    protected override QaLoraOptions Complete(QaLoraOptions options, ProjectionSite projection) =>
        options with { GroupSize = Size(options, projection.Format) };

    protected override int LargestRank(QaLoraOptions options, ProjectionSite projection) =>
        Math.Min(projection.In / options.GroupSize, projection.Out);

    public override ParameterInfo[] Parameters(Graph.AdapterSlot slot, Planning.AdapterSlot row, ProjectionSite projection) =>
    [
        Parameter(slot, row, projection, "A", Dim.Rank(slot.Index), new Dim(projection.In / GroupSize(row))),
        Parameter(slot, row, projection, "B", new Dim(projection.Out), Dim.Rank(slot.Index)),
    ];

    public override Value Expand(Rewrite g, Graph.AdapterSlot slot, Planning.AdapterSlot row, Value x, Value y, Value[] parameters)
    {
        Value p = g.Share(FormattableString.Invariant($"{x.Name}Means{GroupSize(row)}"), new GroupMean(GroupSize(row)), [x]);
        Value h = g.Add(Name(slot, "Lora"), new Linear(), [Drop(g, slot, row, p), parameters[0]]);
        return AddTo(g, slot, y, h, parameters[1]);
    }

    private static int GroupSize(Planning.AdapterSlot row) => ((QaLoraOptions)row.Options).GroupSize;

    /// <summary>Inputs in a group: as given, else those of the Int4 storage's blocks; 0 where neither says.</summary>
    private static int Size(QaLoraOptions options, WeightFormat format) =>
        options.GroupSize != 0 ? options.GroupSize : format.Storage == Storage.Int4 ? format.BlockSize : 0;

    private static string Text(long number) => AdapterSite<QaLoraOptions>.Text(number);
}
