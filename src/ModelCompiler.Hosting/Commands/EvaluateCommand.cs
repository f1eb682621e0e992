using System.CommandLine;
using ModelCompiler.Data;
using ModelCompiler.Hosting.Results;
using ModelCompiler.Models;
using ModelCompiler.Planning;
using ModelCompiler.Tokenizers;
using ModelCompiler.Training;
using Spectre.Console;

namespace ModelCompiler.Hosting.Commands;

/// <summary><c>mc evaluate</c>: loss and perplexity on a file of data.</summary>
internal sealed class EvaluateCommand : HostCommand
{
    private readonly Argument<string> _model = ModelArgument.Create();
    private readonly WeightOptions _weights = new();
    private readonly Option<string> _data = new("--data") { Description = "Data: .jsonl, .json or .txt", Required = true };
    private readonly Option<string?> _rank = new("--rank") { Description = "Rank of the adapter's files; all (every rank of a nested adapter) is not built yet" };
    private readonly Option<int> _batch = Numbers.Whole("--batch", "Sequences side by side", 4);
    private readonly Option<int?> _sequence = Numbers.OptionalWhole("--sequence", "Tokens of a sequence; default: 256, or the context where that is shorter");
    private readonly Option<bool> _truncate = new("--truncate") { Description = "Leave out the end of rows that are longer than the sequence" };

    public EvaluateCommand(Session session)
        : base("evaluate", "Loss and perplexity on a file of data", session)
    {
        Add(_model);
        _weights.AddTo(this, withAdapter: true);
        foreach (Option option in (ReadOnlySpan<Option>)[_data, _rank, _batch, _sequence, _truncate])
        {
            Add(option);
        }
    }

    protected override int Run(ParseResult arguments, CancellationToken cancellation)
    {
        ModelEntry entry = ModelArgument.Find(arguments.GetRequiredValue(_model));
        var plan = new TrainingPlan
        {
            Batch = arguments.GetValue(_batch),
            Sequence = arguments.GetValue(_sequence) ?? Math.Min(256, entry.Tables.Context),
            Rank = Rank(arguments.GetValue(_rank)),
        };
        PlanOptions.Check(() => plan.SizesFor(entry.Tables));
        string basePath = _weights.Base(arguments);
        Tokenizer tokenizer = Tokenizer.Load(basePath);
        List<Example> examples = Examples.Read(arguments.GetRequiredValue(_data), tokenizer, entry.Tables, plan.Sequence, arguments.GetValue(_truncate));

        using TransformerModel model = BoundModel.ForTraining(arguments, entry, plan);
        BoundModel.Load(model, basePath, _weights.Adapter(arguments), (ulong)arguments.GetValue(CommonOptions.Seed));
        Evaluation evaluation = new Evaluator(model, new Batches(examples, plan.Batch, plan.Sequence, seed: null)).Evaluate(cancellation);
        var result = new EvaluateResult(entry.Tables.Name, evaluation.Loss, evaluation.Perplexity, evaluation.Tokens);
        Session.Emit(result, HostJson.Default.EvaluateResult, console => console.WriteLine(
            $"loss {Tables.Number(result.Loss, 4)}, perplexity {Tables.Number(result.Perplexity, 2)} over {Tables.Count(result.Tokens)} tokens"));
        return ExitCode.Done;
    }

    private static int? Rank(string? text)
    {
        if (text is null)
        {
            return null;
        }

        if (text.Equals("all", StringComparison.OrdinalIgnoreCase))
        {
            throw UsageException.NotBuilt("--rank all", "give one rank");
        }

        return int.TryParse(text, out int rank) && rank > 0 ? rank : throw new UsageException($"--rank takes a whole number of at least 1, not '{text}'");
    }
}
