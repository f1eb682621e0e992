using System.CommandLine;
using ModelCompiler.CommandLine.Files;
using ModelCompiler.CommandLine.Options;
using ModelCompiler.CommandLine.Results;
using ModelCompiler.CommandLine.Runs;
using ModelCompiler.CommandLine.Terminal;
using ModelCompiler.Data;
using ModelCompiler.HuggingFace.Peft;
using ModelCompiler.HuggingFace.Tokenizers;
using ModelCompiler.Models;
using ModelCompiler.Planning;
using ModelCompiler.Tokenizers;
using ModelCompiler.Training;
using Spectre.Console;

namespace ModelCompiler.CommandLine.Commands;

/// <summary><c>mc evaluate</c>: loss and perplexity on a file of data.</summary>
internal sealed class EvaluateCommand : HostCommand
{
    private readonly Argument<string> _model = ModelArgument.Create();
    private readonly WeightOptions _weights = new();
    private readonly Option<string> _data = new("--data") { Description = "Data: .jsonl, .json or .txt", Required = true };
    private readonly Option<string?> _rank = new("--rank") { Description = "Rank of the adapter's files; of nested adapters (DyLoRA) the rank to use, or all of them" };
    private readonly Option<int> _batch = NumberOptions.Whole("--batch", "Sequences side by side", 4);
    private readonly Option<int?> _sequence = NumberOptions.OptionalWhole("--sequence", "Tokens of a sequence; default: 256, or the context where that is shorter");
    private readonly DataOptions _rows = new();

    public EvaluateCommand(Session session)
        : base("evaluate", "Loss and perplexity on a file of data", session)
    {
        Add(_model);
        _weights.AddTo(this, withAdapter: true);
        foreach (Option option in (ReadOnlySpan<Option>)[_data, _rank, _batch, _sequence])
        {
            Add(option);
        }

        _rows.AddTo(this);
    }

    protected override int Run(ParseResult arguments, CancellationToken cancellation)
    {
        ModelEntry entry = ModelArgument.Find(arguments.GetRequiredValue(_model));
        var plan = new TrainingPlan
        {
            Batch = arguments.GetValue(_batch),
            Sequence = arguments.GetValue(_sequence) ?? Math.Min(256, entry.Tables.Context),
        };
        bool nested = entry.Tables.Slots.Length > 0 && entry.Tables.Slots.All(s => s.Options.NestedRanks);
        int[]? ranks = Ranks(arguments.GetValue(_rank), entry, nested);
        string? adapter = _weights.Adapter(arguments, entry.Tables);
        RankPattern? saved = adapter is null ? null : AdapterFiles.Ranks(entry.Tables, adapter);
        plan = nested ? plan : plan with { Rank = saved is null ? ranks?[0] : null, Ranks = saved };
        PlanOptions.Check(() => plan.SizesFor(entry.Tables));
        string basePath = _weights.Base(arguments, entry.Tables);
        Tokenizer tokenizer = PretrainedTokenizer.Load(basePath);
        ExampleSet examples = Examples.Read(Session, arguments.GetRequiredValue(_data), tokenizer, _rows.Read(arguments, entry.Tables, plan.Sequence));

        using TransformerModel model = BoundModel.ForTraining(arguments, entry, plan);
        BoundModel.Load(model, basePath, adapter, (ulong)arguments.GetValue(CommonOptions.Seed), WeightOptions.Ignored(arguments));
        var evaluator = new Evaluator(model, new Batches(examples, plan.Batch, plan.Sequence, seed: null));
        RankResult[] results = [.. (nested && ranks is not null ? ranks : [int.MaxValue]).Select(rank =>
        {
            model.UseRank(rank);
            Evaluation evaluation = evaluator.Evaluate(cancellation);
            return new RankResult(rank, evaluation.Loss, evaluation.Perplexity, evaluation.Tokens);
        })];
        RankResult best = results.MinBy(r => r.Loss)!;
        var result = new EvaluateResult(entry.Tables.Name, best.Loss, best.Perplexity, best.Tokens, DataCounts.Of(examples)!, results.Length > 1 ? results : null);
        Session.Emit(result, HostJson.Default.EvaluateResult, console => Show(console, result));
        return ExitCode.Done;
    }

    private static void Show(IAnsiConsole console, EvaluateResult result)
    {
        if (result.Ranks is null)
        {
            console.WriteLine($"loss {Tables.Number(result.Loss, 4)}, perplexity {Tables.Number(result.Perplexity, 2)} over {Tables.Count(result.Tokens)} tokens");
            return;
        }

        Table table = Tables.Create("rank", "loss", "perplexity");
        foreach (RankResult rank in result.Ranks)
        {
            table.AddRow(Tables.Count(rank.Rank), Tables.Number(rank.Loss, 4) + (rank.Loss == result.Loss ? " (lowest)" : ""), Tables.Number(rank.Perplexity, 2));
        }

        console.Write(table);
        console.WriteLine($"over {Tables.Count(result.Tokens)} tokens; choose the rank on data that is not the test's");
    }

    /// <summary>The ranks asked for; null where none was.</summary>
    private static int[]? Ranks(string? text, ModelEntry entry, bool nested)
    {
        if (text is null)
        {
            return null;
        }

        if (text.Equals("all", StringComparison.OrdinalIgnoreCase))
        {
            return nested
                ? [.. Enumerable.Range(1, entry.Tables.Slots.Max(s => s.Rank))]
                : throw new UsageException($"--rank all is for adapters of nested ranks (DyLoRA); those of {entry.Tables.Name} have one rank; remove --rank");
        }

        int most = nested ? entry.Tables.Slots.Max(s => s.Rank) : int.MaxValue;
        return int.TryParse(text, out int rank) && rank > 0 && rank <= most
            ? [rank]
            : throw new UsageException($"--rank takes a whole number {(nested ? $"from 1 to {most}" : "of at least 1")}, not '{text}'");
    }
}
