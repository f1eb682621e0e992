using System.CommandLine;
using ModelCompiler.CommandLine.Estimators;
using ModelCompiler.CommandLine.Files;
using ModelCompiler.CommandLine.Options;
using ModelCompiler.CommandLine.Reports;
using ModelCompiler.CommandLine.Results;
using ModelCompiler.CommandLine.Runs;
using ModelCompiler.CommandLine.Terminal;
using ModelCompiler.Models;
using ModelCompiler.Planning;
using Spectre.Console;

namespace ModelCompiler.CommandLine.Commands;

/// <summary><c>mc plan</c>: what a training run takes of memory, before anything is allocated.</summary>
internal sealed class PlanCommand : HostCommand
{
    private readonly Argument<string> _model = ModelArgument.Create();
    private readonly PlanOptions _plan = new();
    private readonly Option<string?> _base = new("--base") { Description = "Folder of the base; the plan then has the ranks that a method chooses from its weights (LaMDA++)" };
    private readonly Option<string?> _budget = BudgetOption.Create();
    private readonly FitArguments _fit = new();
    private readonly Option<string> _estimator = new("--estimator") { Description = "own (exact), gelato (its published formula) or pytorch (the job under PyTorch, PEFT and bitsandbytes)", DefaultValueFactory = _ => Estimates.Own };
    private readonly Option<string?> _report = new("--report") { Description = "Also draw memory over a training step on a page: FILE.html" };

    public PlanCommand(Session session)
        : base("plan", "The memory a training run takes, term by term", session)
    {
        Add(_model);
        _plan.AddTo(this);
        _fit.AddTo(this);
        foreach (Option option in (ReadOnlySpan<Option>)[_base, WeightOptions.IgnoreConfig, _budget, _estimator, _report])
        {
            Add(option);
        }
    }

    protected override int Run(ParseResult arguments, CancellationToken cancellation)
    {
        ModelEntry model = ModelArgument.Find(arguments.GetRequiredValue(_model));
        long? budget = BudgetOption.Read(arguments, _budget);
        BackendProfile profile = BackendChoice.Profile(arguments);
        TrainingPlan choices = _plan.Read(arguments, model.Tables);
        choices = arguments.GetValue(_base) is { } given ? BaseRanks.Choose(Session, model, choices, ModelFolders.RequireBase(given), WeightOptions.Ignored(arguments), cancellation) : choices;
        FitSummary? fit = null;
        if (_fit.Wanted(arguments))
        {
            EnumOption.Require("--estimator, with --fit,", arguments.GetValue(_estimator)!, [Estimates.Own]);
            (choices, fit) = Search(arguments, model.Tables, choices, profile, budget);
        }

        Plan plan = PlanOptions.Check(() => MemoryPlanner.Train(model.Tables, choices, profile));
        string estimator = EnumOption.Require("--estimator", arguments.GetValue(_estimator)!, Estimates.Names);
        string? report = Report(arguments, estimator);
        Estimate? estimate = PlanOptions.Check(() => Estimates.Of(estimator, model.Tables, choices, Session));

        MemoryCost cost = plan.Cost;
        long peak = estimate?.Peak ?? cost.Peak;
        var result = new PlanResult(
            model.Tables.Name,
            ChoicesOf(choices, model.Tables, profile),
            estimate?.Bytes
                ?? new CostBytes(cost.FrozenWeights, cost.Adapters, cost.Gradients, cost.Optimizer, cost.Activations, cost.Workspace, cost.Inputs, cost.Overhead),
            peak,
            estimate is null ? LiveSet.LowerBound(plan) : null,
            estimate?.Paged ?? cost.Paged,
            budget,
            budget is null || peak <= budget,
            plan.FlopsPerMicroStep * choices.GradientAccumulation,
            estimator,
            estimate?.Detail)
        {
            Fit = fit,
        };
        if (report is not null)
        {
            PlanPage.Write(report, result, plan);
        }

        Session.Emit(result, HostJson.Default.PlanResult, console => Show(console, result));
        if (result.Fits)
        {
            return ExitCode.Done;
        }

        (string largest, long bytes) = result.Bytes.Cost().LargestTerm();
        Session.Note(
            $"{(fit is null ? "the plan" : "nothing fits: the smallest plan")} takes {ByteSize.Format(result.Peak)}, {ByteSize.Format(result.Peak - budget!.Value)} more than the budget of " +
            $"{ByteSize.Format(budget.Value)}; its largest term is {largest}, {ByteSize.Format(bytes)}");
        return ExitCode.OverBudget;
    }

    private string? Report(ParseResult arguments, string estimator)
    {
        if (arguments.GetValue(_report) is not { } path)
        {
            return null;
        }

        ReportPage.Check(path, arguments.GetValue(_base));
        return estimator == Estimates.Own ? path : throw new UsageException($"--report draws our own plan; it cannot be combined with --estimator {estimator}");
    }

    private (TrainingPlan Plan, FitSummary Summary) Search(ParseResult arguments, ModelTables tables, TrainingPlan given, BackendProfile profile, long? budget)
    {
        (FitResult found, double milliseconds) = _fit.Run(arguments, tables, profile, budget, _plan.Pins(arguments, given));
        FittedPlan plan = found.Best ?? found.Smallest!;
        return (plan.Plan, new FitSummary(
            FitArguments.Name(found.Objective),
            plan.TokensPerSecond,
            plan.SecondsPerStep,
            found.Missing,
            plan.Cost.LargestTerm().Name,
            found.Attributes,
            [.. found.RunnersUp.Select(r => new FitRunnerUp(ChoicesOf(r.Plan, tables, profile), r.Cost.Peak, r.TokensPerSecond))],
            milliseconds));
    }

    private static PlanChoices ChoicesOf(TrainingPlan plan, ModelTables tables, BackendProfile profile) => new(
        plan.Batch,
        plan.Sequence,
        plan.GradientAccumulation,
        PlanOptions.Name(plan.Checkpointing, plan.CheckpointEvery),
        plan.SavedOn(profile).ToString(),
        PlanOptions.Name(plan.Optimizer),
        plan.Storage?.Storage.ToString() ?? tables.Storage,
        plan.Rank,
        profile.Name,
        profile.Threads);

    private static void Show(IAnsiConsole console, PlanResult result)
    {
        console.WriteLine($"{result.Recipe}: {result.Plan.InWords()}");
        Table table = Tables.Create("term", "bytes", "");
        table.Columns[1].RightAligned();
        table.Columns[2].RightAligned();
        (string Name, long Bytes)[] terms = [.. result.Estimate?.Terms.Select(static t => (t.Name, t.Bytes)) ?? result.Bytes.Cost().Terms()];
        bool colored = TermsBar.Suits(console);
        foreach ((int term, (string name, long bytes)) in terms.Index())
        {
            table.AddRow(colored ? TermsBar.Name(term, name) : name, Tables.Count(bytes), ByteSize.Format(bytes));
        }

        table.AddEmptyRow();
        table.AddRow("[bold]peak[/]", $"[bold]{Tables.Count(result.Peak)}[/]", $"[bold]{ByteSize.Format(result.Peak)}[/]");
        console.Write(table);
        if (colored)
        {
            console.Write(TermsBar.Of(terms.Select(static t => t.Bytes)));
        }

        if (result.Paged > 0)
        {
            console.WriteLine($"paged to host memory, not in the peak: {Tables.Count(result.Paged)} bytes, {ByteSize.Format(result.Paged)}");
        }

        if (result.LowerBound is long live)
        {
            console.WriteLine($"most live at once: {ByteSize.Format(live)}; the peak is {Tables.Number((double)result.Peak / live, 4)} times that");
        }

        if (result.Estimate is { } estimate)
        {
            console.WriteLine($"estimate of {result.Estimator}; the peak is in: {estimate.Moment}");
            if (estimate.Reserved is long reserved)
            {
                console.WriteLine($"reserved of the device: {Tables.Count(reserved)} bytes, {ByteSize.Format(reserved)}");
            }
        }

        console.WriteLine($"{Tables.Number(result.FlopsPerStep / 1e9, 2)} GFLOP a step");
        if (result.Fits && result.Budget is long budget)
        {
            console.WriteLine($"fits {ByteSize.Format(budget)} with {ByteSize.Format(budget - result.Peak)} to spare");
        }

        if (result.Fit is { } fit)
        {
            Show(console, fit);
        }
    }

    private static void Show(IAnsiConsole console, FitSummary fit)
    {
        console.WriteLine($"{(fit.Missing > 0 ? "smallest" : $"best by {fit.Objective}")}, found in {Tables.Number(fit.Milliseconds, 1)} ms; predicted {Tables.Number(fit.TokensPerSecond, 1)} tokens/s");
        Table table = Tables.Create("batch", "accumulate", "sequence", "checkpointing", "optimizer", "storage", "rank", "peak", "tokens/s");
        foreach ((PlanChoices plan, long peak, double speed) in fit.RunnersUp)
        {
            table.AddRow(
                Tables.Count(plan.Batch),
                Tables.Count(plan.GradientAccumulation),
                Tables.Count(plan.Sequence),
                plan.Checkpointing,
                plan.Optimizer,
                plan.Storage,
                plan.Rank is { } rank ? Tables.Count(rank) : "declared",
                ByteSize.Format(peak),
                Tables.Number(speed, 1));
        }

        if (fit.RunnersUp.Count > 0)
        {
            console.WriteLine("the best with other checkpointing or another optimizer:");
            console.Write(table);
        }

        if (fit.Attributes.Count > 0)
        {
            console.WriteLine("to fix it in the recipe, whose other arguments stay as they are:");
        }

        foreach (string line in fit.Attributes)
        {
            console.WriteLine("    " + line);
        }
    }
}
