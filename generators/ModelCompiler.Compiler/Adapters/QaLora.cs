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
/// QA-LoRA: y += s · B (A dropout(p)) with p the means of groups of inputs (Xu et al. 2023, section 3.3). What is added is the same for
/// all inputs of a group, so that the zero points of an Int4 weight take it exactly.
/// </summary>
public sealed class QaLora : AdapterExpansion
{
    /// <summary>The setting that holds the number of inputs in a group.</summary>
    public const string GroupSize = "GroupSize";

    public override string Attribute => "QaLora";

    public override string Method => "QA-LoRA";

    public override string RuntimeType => "QaLoraAdapter";

    internal override IEnumerable<AdapterProblem> Check(AdapterSpec adapter, RecipeSpec recipe, IReadOnlyList<ProjectionSize> targets)
    {
        int given = (int)adapter.Argument(GroupSize, 0);
        string uneven = Names(targets.Where(t => given < 0 || (given > 0 && t.In % given != 0)), static t => $"{Text(t.In)} inputs");
        if (uneven.Length > 0)
        {
            yield return new(ProblemIds.GroupSizeDoesNotDivideInputs, GroupSize, Text(given), uneven);
        }

        string ungrouped = Names(targets.Where(t => Size(adapter, recipe.FormatOf(t.Projection)) == 0), t => recipe.FormatOf(t.Projection).ToString());
        if (ungrouped.Length > 0)
        {
            yield return new(ProblemIds.GroupSizeMissing, "", ungrouped);
        }

        // A rank above a side of the weight is reported for every method.
        double rank = adapter.Argument("Rank", 8);
        string few = Names(
            targets.Where(t => Size(adapter, recipe.FormatOf(t.Projection)) is > 0 and int size && t.In % size == 0 && rank > t.In / size && rank <= Math.Min(t.In, t.Out)),
            t => $"{Text(t.In / Size(adapter, recipe.FormatOf(t.Projection)))} groups");
        if (few.Length > 0)
        {
            yield return new(ProblemIds.RankAboveGroups, "Rank", rank.ToString(CultureInfo.InvariantCulture), few);
        }
    }

    internal override IEnumerable<AdapterProblem> Warn(AdapterSpec adapter, RecipeSpec recipe, IReadOnlyList<ProjectionSize> targets)
    {
        string inexact = Names(
            targets.Where(t => recipe.FormatOf(t.Projection) is { BlockSize: > 0 } format && (format.Storage != Storage.Int4 || Size(adapter, format) % format.BlockSize != 0)),
            t => recipe.FormatOf(t.Projection).ToString());
        if (inexact.Length > 0)
        {
            yield return new(ProblemIds.MergeNotExact, GroupSize, Text((int)adapter.Argument(GroupSize, 0)), inexact);
        }
    }

    public override Planning.AdapterSlot Describe(AdapterSpec adapter, ProjectionSite projection)
    {
        int size = Size(adapter, projection.Format);
        return base.Describe(adapter, projection) with
        {
            MaximumRank = Math.Min(projection.In / size, projection.Out),
            Settings = [new AdapterSetting(GroupSize, size)],
        };
    }

    public override ParameterInfo[] Parameters(Graph.AdapterSlot slot, Planning.AdapterSlot row, ProjectionSite projection) =>
    [
        new($"{slot.Path}.Adapter.A", Dim.Rank(slot.Index), new Dim(projection.In / (int)row.Setting(GroupSize)), WeightFormat.Compute, projection.PerLayer, true, ParameterKind.Matrix, slot.Index, row.FirstLayer),
        new($"{slot.Path}.Adapter.B", new Dim(projection.Out), Dim.Rank(slot.Index), WeightFormat.Compute, projection.PerLayer, true, ParameterKind.Matrix, slot.Index, row.FirstLayer),
    ];

    public override Value Expand(Rewrite g, Graph.AdapterSlot slot, Planning.AdapterSlot row, Value x, Value y, Value[] parameters)
    {
        string name = slot.Path.Substring(slot.Path.LastIndexOf('.') + 1);
        Value p = g.Share(x.Name + "Means", new GroupMean((int)row.Setting(GroupSize)), [x]);
        if (row.Dropout > 0 && g.Training)
        {
            p = g.Add(name + "Dropped", new Dropout(slot), [p]);
        }

        Value h = g.Add(name + "Lora", new Linear(), [p, parameters[0]]);
        return g.Add(y.Name, new Linear(), [h, parameters[1]], accumulator: y, scale: new ScalarRef(slot, ScalarKind.Scale));
    }

    /// <summary>Inputs in a group: as given, else those of the Int4 storage's blocks; 0 where neither says.</summary>
    private static int Size(AdapterSpec adapter, WeightFormat format) => (int)adapter.Argument(GroupSize, 0) is var given && given != 0 ? given
        : format.Storage == Storage.Int4 ? format.BlockSize
        : 0;

    private static string Names(IEnumerable<ProjectionSize> targets, Func<ProjectionSize, string> what) =>
        string.Join(", ", targets.Select(t => $"{t.Projection} ({what(t)})"));

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
