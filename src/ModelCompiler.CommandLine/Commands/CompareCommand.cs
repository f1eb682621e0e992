using System.CommandLine;
using ModelCompiler.Adapters;
using ModelCompiler.CommandLine.Files;
using ModelCompiler.CommandLine.Options;
using ModelCompiler.CommandLine.Reports;
using ModelCompiler.CommandLine.Results;
using ModelCompiler.CommandLine.Runs;
using ModelCompiler.CommandLine.Terminal;
using ModelCompiler.Data;
using ModelCompiler.HuggingFace.Tokenizers;
using ModelCompiler.HuggingFace.Weights;
using ModelCompiler.Models;
using ModelCompiler.Planning;
using ModelCompiler.Tensors;
using ModelCompiler.Tokenizers;
using ModelCompiler.Training;
using Spectre.Console;

namespace ModelCompiler.CommandLine.Commands;

/// <summary><c>mc compare</c>: the same run, on the same data in the same order, for each recipe over a base.</summary>
internal sealed class CompareCommand : HostCommand
{
    private const int HeldOutOneIn = 20;

    private readonly WeightOptions _weights = new();
    private readonly PlanOptions _plan = new();
    private readonly RunOptions _run = new();
    private readonly Option<string> _data = new("--data") { Description = "Training data: .jsonl, .json or .txt", Required = true };
    private readonly Option<string?> _evaluate = new("--evaluate") { Description = "Held-out data; default: every twentieth example of --data" };
    private readonly DataOptions _rows = new();
    private readonly Option<string[]> _methods = new("--methods")
    {
        Description = "Recipes, or methods such as LoRA, separated by commas or spaces; default: every recipe over the base's architecture",
        AllowMultipleArgumentsPerToken = true,
        DefaultValueFactory = _ => [],
    };

    private readonly Option<int> _seeds = NumberOptions.Whole("--seeds", "Runs of each, with seeds counted from --seed", 1);

    private readonly Option<string?> _report = new("--report") { Description = "Also write the table, and the ranks of methods that choose them, as a page: FILE.html" };

    public CompareCommand(Session session)
        : base("compare", "The same run for each method", session)
    {
        _weights.AddTo(this, withAdapter: false);
        foreach (Option option in (ReadOnlySpan<Option>)[_data, _evaluate, _methods, _seeds, _report])
        {
            Add(option);
        }

        _rows.AddTo(this);
        _run.AddTo(this);
        _plan.AddTo(this);
    }

    protected override int Run(ParseResult arguments, CancellationToken cancellation)
    {
        string basePath = ModelFolders.RequireBase(_weights.Base(arguments));
        string? report = arguments.GetValue(_report);
        if (report is not null)
        {
            ReportPage.Check(report, basePath);
        }

        ModelEntry[] recipes = Recipes(basePath, arguments.GetValue(_methods)!, WeightOptions.Ignored(arguments));
        ModelTables first = recipes[0].Tables;
        TrainingPlan plan = _plan.Read(arguments, first);
        foreach (ModelEntry recipe in recipes)
        {
            PlanOptions.Check(() => plan.SizesFor(recipe.Tables));
        }

        Tokenizer tokenizer = PretrainedTokenizer.Load(basePath);
        (ExampleSet examples, ExampleSet heldOut) = Data(arguments, tokenizer, first, plan.Sequence);
        TrainingOptions options = _run.Read(arguments) with { GradientAccumulation = plan.GradientAccumulation };
        options = options with { EvaluationInterval = options.Steps };
        int seeds = arguments.GetValue(_seeds);
        var methods = new List<MethodResult>();
        double before = double.NaN;
        foreach (ModelEntry recipe in recipes)
        {
            var runs = new List<TrainingRun>();
            PlannedMemory memory = new(0, 0);
            long saved = 0;
            AdapterRanks[] ranks = [];
            int[] nested = NestedRanks(recipe.Tables, plan);
            var nestedLosses = new List<double[]>();
            TrainingPlan own = BaseRanks.Choose(Session, recipe, plan, basePath, WeightOptions.Ignored(arguments), cancellation);
            for (int k = 0; k < seeds; k++)
            {
                ulong seed = (ulong)arguments.GetValue(CommonOptions.Seed) + (ulong)k;
                using var native = new NativeMemoryScope();
                using TransformerModel model = BoundModel.ForTraining(arguments, recipe, own);
                BoundModel.Load(model, basePath, adapter: null, seed, WeightOptions.Ignored(arguments));
                var training = new Batches(examples, plan.Batch, plan.Sequence, seed);
                var evaluation = new Batches(heldOut, plan.Batch, plan.Sequence, seed: null);
                runs.Add(TrainingRun.Run(Session, $"{recipe.Tables.Name}, seed {seed}", model, training, options with { Seed = seed }, evaluation, cancellation));
                cancellation.ThrowIfCancellationRequested();
                nestedLosses.Add(AtRanks(model, nested, evaluation, cancellation));
                memory = new PlannedMemory(model.Plan.Cost.Arena, native.PeakBytes);
                saved = SavedPerToken(model.Plan);
                ranks = k == 0 ? Adaptive(model) : ranks;
            }

            before = double.IsNaN(before) ? runs[0].Result.HeldOutBefore!.Value : before;
            methods.Add(Result(recipe.Tables, own, runs, memory, saved, ranks) with
            {
                Nested = nested.Length == 0 ? null : [.. nested.Select((rank, i) => AtRank(rank, [.. nestedLosses.Select(l => l[i])]))],
            });
        }

        var result = new CompareResult(first.Architecture, options.Steps, seeds, before, [.. methods], DataCounts.Of(examples)!, arguments.GetValue(_evaluate) is null ? null : DataCounts.Of(heldOut));
        if (report is not null)
        {
            ComparePage.Write(report, result);
        }

        Session.Emit(result, HostJson.Default.CompareResult, console => Show(console, result));
        return ExitCode.Done;
    }

    /// <summary>The recipes over the architecture that the base's config.json describes.</summary>
    private static ModelEntry[] Recipes(string basePath, string[] wanted, string[] ignored)
    {
        ModelEntry[] all = [.. ModelRegistry.All.Where(e => e.IsRecipe)];
        wanted = [.. wanted.SelectMany(names => names.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))];
        ModelEntry[] named = [.. wanted.SelectMany(name =>
            all.Where(e => Named(e, name)).ToArray() is { Length: > 0 } found
                ? found
                : throw new UsageException($"--methods: '{name}' is neither a recipe nor a method of one{Suggestions.For(name, all.Select(e => e.Name).Concat(all.SelectMany(e => e.Tables.Slots.Select(s => s.Method))))}")).Distinct()];
        ModelEntry[] fitting = [.. (wanted.Length > 0 ? named : all).Where(e => BaseWeights.Fits(basePath, e.Tables, ignored))];
        if (fitting.Length == 0 && named.Select(e => e.Tables.Architecture).Distinct().Count() == 1)
        {
            BaseWeights.RequireFit(basePath, named[0].Tables, ignored);
        }

        string[] architectures = [.. fitting.Select(e => e.Tables.Architecture).Distinct()];
        return architectures.Length switch
        {
            1 => fitting,
            0 => throw new UsageException($"no recipe{(wanted.Length > 0 ? " of --methods" : "")} is over the architecture that {basePath} holds; name one with --methods to see what differs"),
            _ => throw new UsageException($"{basePath} fits {string.Join(" and ", architectures)}: name recipes over one of them with --methods"),
        };
    }

    private static bool Named(ModelEntry entry, string name) =>
        entry.Tables.Name.Equals(name, StringComparison.OrdinalIgnoreCase)
        || entry.Tables.Slots.Any(s => s.Method.Equals(name, StringComparison.OrdinalIgnoreCase));

    private (ExampleSet Training, ExampleSet HeldOut) Data(ParseResult arguments, Tokenizer tokenizer, ModelTables tables, int sequence)
    {
        ExampleOptions rows = _rows.Read(arguments, tables, sequence);
        string path = arguments.GetRequiredValue(_data);
        ExampleSet examples = Examples.Read(Session, path, tokenizer, rows);
        if (arguments.GetValue(_evaluate) is { } file)
        {
            return (examples, Examples.Read(Session, file, tokenizer, rows));
        }

        return examples.Count >= 2 * HeldOutOneIn
            ? (examples.At(Places(i => i % HeldOutOneIn != 0)), examples.At(Places(i => i % HeldOutOneIn == 0)))
            : throw new UsageException($"{path}: {examples.Count} examples are too few to hold one in {HeldOutOneIn} out; give --evaluate");

        IEnumerable<int> Places(Func<int, bool> chosen) => Enumerable.Range(0, examples.Count).Where(chosen);
    }

    private static MethodResult Result(ModelTables tables, TrainingPlan plan, List<TrainingRun> runs, PlannedMemory memory, long saved, AdapterRanks[] ranks)
    {
        double[] losses = [.. runs.Select(r => r.Result.HeldOutAfter!.Value)];
        string storage = plan.Storage?.Storage.ToString() ?? tables.Storage;
        string method = string.Join(", ", tables.Slots.Select(s => s.Method).Distinct()) + (storage == nameof(Storage.Float32) ? "" : $" over {storage}");
        return new MethodResult(
            tables.Name, method, tables.ParameterCount(trainable: true, plan.Rank, plan.Ranks), saved, memory, runs.Average(r => r.TokensPerSecond), losses, losses.Average(), Deviation(losses), ranks);
    }

    private static double Deviation(double[] values)
    {
        double mean = values.Average();
        return values.Length < 2 ? 0 : Math.Sqrt(values.Sum(v => (v - mean) * (v - mean)) / (values.Length - 1));
    }

    /// <summary>The ranks to evaluate adapters at that work at each: powers of two and the whole rank; none for other adapters.</summary>
    private static int[] NestedRanks(ModelTables tables, TrainingPlan plan) =>
        tables.Slots.Length > 0 && tables.Slots.All(s => s.Options.NestedRanks)
        ? DyLoraSchedule.Choices(RankDraw.PowersOfTwo, plan.Rank ?? tables.Slots.Max(s => s.Rank))
        : [];

    private static double[] AtRanks(TransformerModel model, int[] ranks, Batches heldOut, CancellationToken cancellation)
    {
        var evaluator = new Evaluator(model, heldOut);
        return
        [
            .. ranks.Select(rank =>
            {
                model.UseRank(rank);
                return evaluator.Evaluate(cancellation).Loss;
            }),
        ];
    }

    private static NestedLoss AtRank(int rank, double[] losses) => new(rank, losses.Average(), Deviation(losses));

    /// <summary>Elements of all layers' kept inputs and saved values that grow with the tokens, per token.</summary>
    private static long SavedPerToken(Plan plan) => plan.Stack.Forward.Index().Sum(frame => frame.Item.Plan.Table.Buffers
        .Where(r => (r.Kind == BufferKind.Saved || (r.Kind == BufferKind.Input && frame.Item.Plan.KeepsInput)) && r.Shares < 0 && r.Rows.Symbol == DimSymbol.Tokens)
        .Sum(r => (long)r.Rows.Factor * r.Columns.Evaluate(plan.Sizes.In(frame.Index))));

    /// <summary>The ranks of the projections whose methods choose them.</summary>
    private static AdapterRanks[] Adaptive(TransformerModel model)
    {
        HashSet<string> adaptive = [.. model.Adapters.Where(a => a.ChosenRank(model) is not null).Select(a => a.Slot.Path)];
        return [.. AdapterRanks.Of(model).Where(r => adaptive.Contains(r.Path))];
    }

    private static void Show(IAnsiConsole console, CompareResult result)
    {
        Table table = Tables.Create("recipe", "method", "trainable", "saved a token", "memory predicted", "tokens/s", "held-out loss");
        foreach (MethodResult method in result.Methods)
        {
            table.AddRow(
                method.Name,
                method.Method,
                Tables.Count(method.Trainable),
                Tables.Count(method.SavedPerToken),
                ByteSize.Format(method.Memory.Predicted) + (method.Memory.Predicted == method.Memory.Allocated ? "" : $" predicted, {ByteSize.Format(method.Memory.Allocated)} allocated"),
                Tables.Count((long)method.TokensPerSecond),
                Tables.Loss(method.MeanLoss, method.Deviation, result.Seeds));
        }

        console.Write(table);
        foreach (MethodResult method in result.Methods.Where(m => m.Nested is not null))
        {
            console.WriteLine($"{method.Name} at each rank: {method.NestedText(result.Seeds)}");
        }

        console.WriteLine($"{result.Architecture}, {result.Steps} steps each; held-out loss before: {Tables.Number(result.LossBefore, 4)}; memory is predicted = allocated where one number stands");
    }
}
