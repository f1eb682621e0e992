using System.CommandLine;
using ModelCompiler.Checkpoints;
using ModelCompiler.Data;
using ModelCompiler.Hosting.Results;
using ModelCompiler.Models;
using ModelCompiler.Planning;
using ModelCompiler.Tokenizers;
using ModelCompiler.Training;
using Spectre.Console;

namespace ModelCompiler.Hosting.Commands;

/// <summary><c>mc quantize</c>: a base with the NF4 weights of a recipe, in bitsandbytes' form; with data also what that changes.</summary>
internal sealed class QuantizeCommand : HostCommand
{
    private const int ComparedTokens = 64;

    private readonly Argument<string> _model = ModelArgument.Create();
    private readonly WeightOptions _weights = new();
    private readonly Option<string> _out = new("--out") { Description = "Folder for the quantised base", Required = true };
    private readonly Option<string?> _data = new("--data") { Description = "Compare base and quantised base on these rows: .jsonl, .json or .txt; takes the memory of the unquantised model" };

    public QuantizeCommand(Session session)
        : base("quantize", "Write a base with quantised weights, as bitsandbytes does", session)
    {
        Add(_model);
        _weights.AddTo(this, withAdapter: false);
        Add(_out);
        Add(_data);
    }

    protected override int Run(ParseResult arguments, CancellationToken cancellation)
    {
        ModelEntry entry = ModelArgument.Find(arguments.GetRequiredValue(_model));
        RequireNf4(entry.Tables);
        string from = _weights.Base(arguments);
        string to = arguments.GetRequiredValue(_out);
        if (Path.GetFullPath(from).TrimEnd(Path.DirectorySeparatorChar) == Path.GetFullPath(to).TrimEnd(Path.DirectorySeparatorChar))
        {
            throw new UsageException($"--out is the base itself, '{to}'; name another folder");
        }

        ModelEntry architecture = ModelArgument.Find(entry.Tables.Architecture);
        List<Example>? examples = arguments.GetValue(_data) is { } data
            ? Examples.Read(data, Tokenizer.Load(from), entry.Tables, Math.Min(256, entry.Tables.Context), truncate: true)
            : null;
        string[] files = Write(arguments, entry, from, to);
        Measured? before = examples is null ? null : Measure(arguments, architecture, from, examples, cancellation);
        Measured? after = examples is null ? null : Measure(arguments, entry, to, examples, cancellation);
        var result = new QuantizeResult(
            entry.Tables.Name,
            files,
            new FileInfo(files[0]).Length,
            before is null || after is null ? null : before.Logits.Zip(after.Logits).Max(rows => rows.First.Zip(rows.Second).Max(pair => Math.Abs((double)pair.First - pair.Second))),
            before is null || after is null ? null : new BeforeAfter(before.Perplexity, after.Perplexity));
        Session.Emit(result, HostJson.Default.QuantizeResult, console => Show(console, result));
        return ExitCode.Done;
    }

    /// <exception cref="UsageException">Nothing is quantised, or something in a way that no other program reads.</exception>
    private static void RequireNf4(ModelTables tables)
    {
        if (tables.Parameters.FirstOrDefault(p => p.Format.Storage is Storage.Int8 or Storage.Int4) is { } other)
        {
            throw new UsageException($"{tables.Name} has {other.Path} as {other.Format}; bitsandbytes' form is for NF4 only, and the recipe quantises while it loads, so it needs no such file");
        }

        if (!tables.Parameters.Any(p => p.Format.Storage == Storage.NF4))
        {
            throw new UsageException($"{tables.Name} quantises no weights; name a recipe with [Frozen(Storage.NF4)]");
        }
    }

    /// <summary>Quantises while loading, so that only one block of rows is ever unquantised.</summary>
    private static string[] Write(ParseResult arguments, ModelEntry entry, string from, string to)
    {
        using TransformerModel model = BoundModel.ForGeneration(arguments, entry, capacity: 1);
        BaseWeights.Load(model, from);
        BaseWeights.SaveQuantized(model, to, StoredType(from));
        return [Path.Combine(to, Checkpoint.FileName), Path.Combine(to, "config.json"), .. TokenizerFiles.Copy(from, to)];
    }

    /// <summary>What is not quantised keeps the base's type where that can be written.</summary>
    private static SafetensorsType StoredType(string from)
    {
        using Checkpoint checkpoint = Checkpoint.Open(from);
        return checkpoint.Names.Where(name => name.EndsWith("embed_tokens.weight", StringComparison.Ordinal)).All(name => checkpoint.Entry(name).Type == SafetensorsType.BF16)
            ? SafetensorsType.BF16
            : SafetensorsType.F32;
    }

    private static Measured Measure(ParseResult arguments, ModelEntry entry, string from, List<Example> examples, CancellationToken cancellation)
    {
        ulong seed = (ulong)arguments.GetValue(CommonOptions.Seed);
        int[] tokens = [.. examples[0].Tokens.Take(ComparedTokens)];
        float[][] logits;
        using (TransformerModel model = BoundModel.ForGeneration(arguments, entry, tokens.Length))
        {
            BoundModel.Load(model, from, adapter: null, seed);
            logits = LogitsCommand.Logits(model, tokens, cancellation);
        }

        var plan = new TrainingPlan { Batch = 1, Sequence = examples.Max(e => e.Tokens.Length) };
        using TransformerModel evaluated = BoundModel.ForTraining(arguments, entry, plan);
        BoundModel.Load(evaluated, from, adapter: null, seed);
        return new Measured(logits, new Evaluator(evaluated, new Batches(examples, plan.Batch, plan.Sequence, seed: null)).Evaluate(cancellation).Perplexity);
    }

    private static void Show(IAnsiConsole console, QuantizeResult result)
    {
        if (result.Perplexity is { } perplexity)
        {
            console.WriteLine($"perplexity {Tables.Number(perplexity.Before!.Value, 3)}, quantised {Tables.Number(perplexity.After!.Value, 3)}; logits differ by {Tables.Number(result.MaxLogitDifference!.Value, 4)} at most");
        }

        console.WriteLine($"wrote {Tables.Count(result.Bytes)} bytes of weights:");
        foreach (string file in result.Files)
        {
            console.WriteLine("  " + file);
        }
    }

    private sealed record Measured(float[][] Logits, double Perplexity);
}
