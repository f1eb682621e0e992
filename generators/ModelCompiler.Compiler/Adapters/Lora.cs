using System.Globalization;
using ModelCompiler.Adapters;
using ModelCompiler.Compiler.Description;
using ModelCompiler.Compiler.Graph;
using ModelCompiler.Compiler.Operations;
using ModelCompiler.Planning;

namespace ModelCompiler.Compiler.Adapters;

/// <summary>LoRA: y += s · B (A dropout(x)) (Hu et al. 2021, section 4.1).</summary>
public sealed class Lora : AdapterExpansion<LoraOptions>
{
    private protected override IEnumerable<AdapterProblem> Check(AdapterSite<LoraOptions> site)
    {
        LoraOptions options = site.Options;
        LoraInitialization start = options.Initialization;
        if (!Enum.IsDefined(typeof(LoraInitialization), start))
        {
            string known = string.Join(", ", Enum.GetNames(typeof(LoraInitialization)));
            yield return new AdapterProblem(ProblemIds.UnknownStart, nameof(options.Initialization), start.ToString(), known);
            yield break;
        }

        if (options.Iterations < 1 || (options.Iterations > 1 && start != LoraInitialization.Loftq))
        {
            string iterations = options.Iterations.ToString(CultureInfo.InvariantCulture);
            yield return new AdapterProblem(ProblemIds.StartIterationsUnusable, nameof(options.Iterations), iterations);
        }

        if (start == LoraInitialization.Pissa && site.Targets.Any(static target => target.Tied))
        {
            yield return new AdapterProblem(ProblemIds.StartChangesTiedHead, nameof(options.Initialization), start.ToString());
        }

        Storage StorageOf(ProjectionSize target) => site.Recipe.FormatOf(target.Projection).Storage;
        string others = site.Names(
            target => start == LoraInitialization.Loftq && StorageOf(target) != Storage.NF4, target => StorageOf(target).ToString());
        if (others.Length > 0)
        {
            yield return new AdapterProblem(ProblemIds.LoftqWithoutNf4, nameof(options.Initialization), others);
        }
    }

    public override ParameterInfo[] Parameters(Graph.AdapterSlot slot, Planning.AdapterSlot row, ProjectionSite projection)
    {
        Dim rank = Dim.Rank(slot.Index), inputs = new(projection.In), outputs = new(projection.Out);
        ParameterInfo[] always =
        [
            Parameter(slot, row, projection, "A", rank, inputs),
            Parameter(slot, row, projection, "B", outputs, rank),
        ];

        // What PiSSA took from the weight is kept: only with it the adapter says what it adds to the weight as it was.
        return row.Options is LoraOptions { Initialization: LoraInitialization.Pissa }
            ?
            [
                .. always,
                Parameter(slot, row, projection, "StartA", rank, inputs, trainable: false),
                Parameter(slot, row, projection, "StartB", outputs, rank, trainable: false),
            ]
            : always;
    }

    public override Value Expand(Rewrite g, Graph.AdapterSlot slot, Planning.AdapterSlot row, Value x, Value y, Value[] parameters)
    {
        Value h = g.Add(Name(slot, "Lora"), new Linear(), [Drop(g, slot, row, x), parameters[0]]);
        return AddTo(g, slot, y, h, parameters[1]);
    }
}
