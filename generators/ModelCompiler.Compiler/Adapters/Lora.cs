using System.Globalization;
using ModelCompiler.Compiler.Description;
using ModelCompiler.Compiler.Graph;
using ModelCompiler.Compiler.Lowering;
using ModelCompiler.Compiler.Operations;
using ModelCompiler.Compiler.Passes;
using ModelCompiler.Compiler.Validation;
using ModelCompiler.Planning;

namespace ModelCompiler.Compiler.Adapters;

/// <summary>LoRA: y += s · B (A dropout(x)) (Hu et al. 2021, section 4.1).</summary>
public class Lora : AdapterExpansion
{
    public override string Attribute => "Lora";

    public override string Method => "LoRA";

    public override string RuntimeType => "LoraAdapter";

    internal override IEnumerable<AdapterProblem> Check(AdapterSpec adapter, RecipeSpec recipe, IReadOnlyList<ProjectionSize> targets)
    {
        LoraInitialization start = StartOf(adapter);
        if (!Enum.IsDefined(typeof(LoraInitialization), start))
        {
            yield return new AdapterProblem(ProblemIds.UnknownStart, "Initialization", Text((int)start), string.Join(", ", Enum.GetNames(typeof(LoraInitialization))));
            yield break;
        }

        double iterations = adapter.Argument("Iterations", 1);
        if (iterations < 1 || (iterations > 1 && start != LoraInitialization.Loftq))
        {
            yield return new AdapterProblem(ProblemIds.StartIterationsUnusable, "Iterations", Text((int)iterations));
        }

        if (start == LoraInitialization.Pissa && targets.Any(static target => target.Tied))
        {
            yield return new AdapterProblem(ProblemIds.StartChangesTiedHead, "Initialization", start.ToString());
        }

        string[] others = [.. targets
            .Select(target => (target.Projection, recipe.FormatOf(target.Projection).Storage))
            .Where(target => start == LoraInitialization.Loftq && target.Storage != Storage.NF4)
            .Select(static target => $"{target.Projection} ({target.Storage})")];
        if (others.Length > 0)
        {
            yield return new AdapterProblem(ProblemIds.LoftqWithoutNf4, "Initialization", string.Join(", ", others));
        }
    }

    public override Planning.AdapterSlot Describe(AdapterSpec adapter, ProjectionSite projection) => base.Describe(adapter, projection) with
    {
        Settings = StartOf(adapter) switch
        {
            LoraInitialization.Kaiming => [],
            LoraInitialization.Loftq => [new AdapterSetting("Initialization", (int)LoraInitialization.Loftq), new AdapterSetting("Iterations", adapter.Argument("Iterations", 1))],
            var start => [new AdapterSetting("Initialization", (int)start)],
        },
    };

    public override ParameterInfo[] Parameters(Graph.AdapterSlot slot, Planning.AdapterSlot row, ProjectionSite projection)
    {
        ParameterInfo A(string path, bool trainable) => new(
            $"{slot.Path}.Adapter.{path}", Dim.Rank(slot.Index), new Dim(projection.In), WeightFormat.Compute, projection.PerLayer, trainable, ParameterKind.Matrix, slot.Index, row.FirstLayer);
        ParameterInfo B(string path, bool trainable) => new(
            $"{slot.Path}.Adapter.{path}", new Dim(projection.Out), Dim.Rank(slot.Index), WeightFormat.Compute, projection.PerLayer, trainable, ParameterKind.Matrix, slot.Index, row.FirstLayer);

        // What PiSSA took from the weight is kept: only with it the adapter says what it adds to the weight as it was.
        return row.Settings.Any(static setting => setting.Name == "Initialization" && setting.Value == (int)LoraInitialization.Pissa)
            ? [A("A", true), B("B", true), A("StartA", false), B("StartB", false)]
            : [A("A", true), B("B", true)];
    }

    public override Value Expand(Rewrite g, Graph.AdapterSlot slot, Planning.AdapterSlot row, Value x, Value y, Value[] parameters)
    {
        string name = slot.Path.Substring(slot.Path.LastIndexOf('.') + 1);
        if (row.Dropout > 0 && g.Training)
        {
            x = g.Add(name + "Dropped", new Dropout(slot), [x]);
        }

        Value h = g.Add(name + "Lora", new Linear(), [x, parameters[0]]);
        return g.Add(y.Name, new Linear(), [h, parameters[1]], accumulator: y, scale: new ScalarRef(slot, ScalarKind.Scale));
    }

    private static LoraInitialization StartOf(AdapterSpec adapter) => (LoraInitialization)(int)adapter.Argument("Initialization", 0);

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
