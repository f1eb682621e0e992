using System.CommandLine;
using ModelCompiler.CommandLine.Files;
using ModelCompiler.CommandLine.Options;
using ModelCompiler.CommandLine.Reports;
using ModelCompiler.CommandLine.Results;
using ModelCompiler.CommandLine.Runs;
using ModelCompiler.CommandLine.Terminal;
using ModelCompiler.CommandLine.Tuning;
using ModelCompiler.Data;
using ModelCompiler.HuggingFace.Tokenizers;
using ModelCompiler.HuggingFace.Weights;
using ModelCompiler.Models;
using ModelCompiler.Planning;
using ModelCompiler.Tensors;
using Spectre.Console;

namespace ModelCompiler.CommandLine.Commands;

/// <summary><c>mc tune</c>: tokens a second of real steps over micro-batches and checkpointing, on this machine.</summary>
internal sealed class TuneCommand : HostCommand
{
    private static readonly Color[] s_colors = [Color.Blue, Color.Green, Color.Yellow];

    private readonly Argument<string> _model = ModelArgument.Create();
    private readonly PlanOptions _plan = new();
    private readonly Option<string?> _base = new("--base") { Description = "Folder of the base; default: random weights, which take the same time" };
    private readonly Option<string?> _data = new("--data") { Description = "Training data, read with the tokenizer of --base; default: full sequences of random tokens" };
    private readonly DataOptions _rows = new();
    private readonly Option<string?> _budget = BudgetOption.Create();
    private readonly Option<int> _largest = NumberOptions.Whole("--largest-batch", "The largest micro-batch tried", 64, maximum: 1 << 20);
    private readonly Option<int> _steps = NumberOptions.Whole("--steps", "Steps measured for each plan, at least; their median counts", 5, maximum: 10_000);
    private readonly Option<int> _warmUp = NumberOptions.Whole("--warmup-steps", "Steps before them, at least", 2, minimum: 0, maximum: 10_000);
    private readonly Option<double> _seconds = NumberOptions.Real("--seconds", "The least time that each of both takes", 0.5, 0, 3600);
    private readonly Option<string?> _report = new("--report") { Description = "Also draw the curves as a page: FILE.html" };

    public TuneCommand(Session session)
        : base("tune", "Measure tokens a second over micro-batch sizes and checkpointing, and recommend a plan", session)
    {
        Add(_model);
        foreach (Option option in (ReadOnlySpan<Option>)[_base, WeightOptions.IgnoreConfig, _data, _budget, _largest, _steps, _warmUp, _seconds, _report])
        {
            Add(option);
        }

        _rows.AddTo(this, withTruncate: false);
        _plan.AddTo(this);
    }

    protected override int Run(ParseResult arguments, CancellationToken cancellation)
    {
        ModelEntry model = ModelArgument.Find(arguments.GetRequiredValue(_model));
        if (arguments.GetValue(_report) is { } page)
        {
            ReportPage.Check(page, arguments.GetValue(_base));
        }

        long? budget = BudgetOption.Read(arguments, _budget);
        BackendProfile profile = BackendChoice.Profile(arguments);
        TrainingPlan plan = _plan.Read(arguments, model.Tables);
        PlanOptions.Check(() => plan.SizesFor(model.Tables));
        plan = Base(arguments, model.Tables) is { } basePath ? BaseRanks.Choose(Session, model, plan, basePath, WeightOptions.Ignored(arguments), cancellation) : plan;
        FitOptions pins = _plan.Pins(arguments, plan);
        (Checkpointing Policy, int Every)[] policies = pins.Checkpointing is { } policy
            ? [(policy, plan.CheckpointEvery)]
            : [(Checkpointing.None, 1), (Checkpointing.Selective, 1), (Checkpointing.Block, 1)];
        int[] batches = pins.Batch is { } batch ? [batch] : [.. Doubling(arguments.GetValue(_largest), plan.Sequence)];
        TrainingPlan smallest = plan with { Checkpointing = policies[^1].Policy, CheckpointEvery = policies[^1].Every, Batch = batches[0] };
        MemoryCost least = MemoryPlanner.Cost(model.Tables, smallest, profile);
        if (least.Peak > budget)
        {
            (string largest, long bytes) = least.LargestTerm();
            Session.Note(
                $"no plan fits the budget of {ByteSize.Format(budget.Value)}: batch {smallest.Batch} with checkpointing {PlanOptions.Name(smallest.Checkpointing, smallest.CheckpointEvery)} takes " +
                $"{ByteSize.Format(least.Peak)}, {ByteSize.Format(least.Peak - budget.Value)} more; its largest term is {largest}, {ByteSize.Format(bytes)}");
            return ExitCode.OverBudget;
        }

        ExampleSet? data = Data(arguments, model.Tables, plan.Sequence);
        var measurement = new StepMeasurement(
            arguments,
            model,
            arguments.GetValue(_base),
            data,
            arguments.GetValue(_warmUp),
            arguments.GetValue(_steps),
            arguments.GetValue(_seconds),
            (ulong)arguments.GetValue(CommonOptions.Seed));
        (List<TunePoint> points, List<TuneEnd> ends) = Measure(model.Tables, plan, profile, policies, batches, budget, measurement, cancellation);
        if (points.Count == 0)
        {
            throw new UsageException($"no plan fits this machine: {ends[^1].Reason}");
        }

        var result = new TuneResult(
            model.Tables.Name, plan.Sequence, measurement.Steps, profile.Name, profile.Threads, budget, [.. points], [.. ends], TuneSweep.Best(points), DataCounts.Of(data));
        if (arguments.GetValue(_report) is { } report)
        {
            TunePage.Write(report, result);
        }

        Session.Emit(result, HostJson.Default.TuneResult, console => Show(console, result));
        return ExitCode.Done;
    }

    private (List<TunePoint> Points, List<TuneEnd> Ends) Measure(
        ModelTables tables,
        TrainingPlan plan,
        BackendProfile profile,
        (Checkpointing Policy, int Every)[] policies,
        int[] batches,
        long? budget,
        StepMeasurement measurement,
        CancellationToken cancellation)
    {
        var points = new List<TunePoint>();
        var ends = new List<TuneEnd>();
        WorkProgress.Run(Session, $"tuning {tables.Name}", policies.Length * batches.Length, report =>
        {
            for (int i = 0; i < policies.Length; i++)
            {
                (Checkpointing policy, int every) = policies[i];
                string name = PlanOptions.Name(policy, every);
                TrainingPlan With(int batch) => plan with { Batch = batch, Checkpointing = policy, CheckpointEvery = every };
                (IReadOnlyList<TunePoint> own, (int Batch, string Reason)? end) = TuneSweep.Run(
                    batches,
                    batch => Refusal(MemoryPlanner.Cost(tables, With(batch), profile), budget),
                    batch =>
                    {
                        TunePoint point = measurement.Run(With(batch), cancellation);
                        report(i * batches.Length + Array.IndexOf(batches, batch) + 1, $"checkpointing {name}, batch {batch}: {Tables.Count((long)point.TokensPerSecond)} tokens/s");
                        return point;
                    });
                points.AddRange(own);
                if (end is { } last)
                {
                    ends.Add(new TuneEnd(name, last.Batch, last.Reason));
                }
            }

            return points.Count;
        });
        return (points, ends);
    }

    /// <summary>Why a plan cannot be run; null where it can.</summary>
    private static string? Refusal(MemoryCost cost, long? budget)
    {
        if (cost.Peak > budget)
        {
            return $"it takes {ByteSize.Format(cost.Peak)}, {ByteSize.Format(cost.Peak - budget.Value)} more than the budget";
        }

        long free = HostMemory.Free().Bytes;
        long needed = cost.Allocated + cost.Overhead;
        return needed > free ? $"it takes {ByteSize.Format(needed)}, and this machine has {ByteSize.Format(free)} free" : null;
    }

    private static IEnumerable<int> Doubling(int largest, int sequence)
    {
        for (int batch = 1; batch <= largest && (long)batch * sequence <= int.MaxValue; batch *= 2)
        {
            yield return batch;
        }
    }

    private ExampleSet? Data(ParseResult arguments, ModelTables tables, int sequence)
    {
        if (arguments.GetValue(_data) is not { } file)
        {
            return null;
        }

        string folder = arguments.GetValue(_base) ?? throw new UsageException("--data needs --base, the folder of the base whose tokenizer reads it");
        return Examples.Read(Session, file, PretrainedTokenizer.Load(folder), _rows.Read(arguments, tables, sequence) with { Truncation = Truncation.Truncate });
    }

    private string? Base(ParseResult arguments, ModelTables tables)
    {
        if (arguments.GetValue(_base) is not { } given)
        {
            return null;
        }

        string folder = ModelFolders.RequireBase(given);
        BaseWeights.RequireFit(folder, tables, WeightOptions.Ignored(arguments));
        return folder;
    }

    private static void Show(IAnsiConsole console, TuneResult result)
    {
        console.WriteLine($"{result.Recipe}: tokens/s of sequences of {Tables.Count(result.Sequence)}, median of {result.Steps} steps or more, {(result.Threads == 1 ? result.Backend : $"{result.Backend} with {result.Threads} threads")}");
        console.WriteLine();
        string[] policies = [.. result.Points.Select(p => p.Checkpointing).Distinct()];
        BarChart chart = new BarChart().Width(100).UseValueFormatter(static value => Tables.Count((long)value));
        foreach (TunePoint point in result.Points)
        {
            chart.AddItem($"{point.Checkpointing}, batch {point.Batch}", point.TokensPerSecond, s_colors[Array.IndexOf(policies, point.Checkpointing) % s_colors.Length]);
        }

        console.Write(chart);
        Table table = Tables.Create("checkpointing", "batch", "tokens/s", "seconds a step", "peak");
        foreach (TunePoint point in result.Points)
        {
            table.AddRow(point.Checkpointing, Tables.Count(point.Batch), Tables.Count((long)point.TokensPerSecond), Tables.Number(point.SecondsPerStep, 3), ByteSize.Format(point.Peak));
        }

        console.Write(table);
        foreach (TuneEnd end in result.Ends)
        {
            console.WriteLine($"checkpointing {end.Checkpointing} ended at batch {end.Batch}: {end.Reason}");
        }

        TunePoint best = result.Best;
        console.WriteLine(
            $"recommended: --batch {best.Batch} --checkpointing {best.Checkpointing}, {Tables.Count((long)best.TokensPerSecond)} tokens/s in {ByteSize.Format(best.Peak)} " +
            "(the least memory within 2 % of the fastest)");
    }
}
