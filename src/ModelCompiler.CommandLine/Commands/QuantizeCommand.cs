using System.CommandLine;
using ModelCompiler.CommandLine.Files;
using ModelCompiler.CommandLine.Options;
using ModelCompiler.CommandLine.Results;
using ModelCompiler.CommandLine.Runs;
using ModelCompiler.CommandLine.Terminal;
using ModelCompiler.Files;
using ModelCompiler.HuggingFace.Weights;
using ModelCompiler.Models;
using ModelCompiler.Planning;
using Spectre.Console;

namespace ModelCompiler.CommandLine.Commands;

/// <summary><c>mc quantize</c>: a base with the NF4 weights of a recipe, in bitsandbytes' form; with data also what that changes.</summary>
internal sealed class QuantizeCommand : HostCommand
{
    private readonly Argument<string> _model = ModelArgument.Create();
    private readonly WeightOptions _weights = new();
    private readonly Option<string> _out = new("--out") { Description = "Folder for the quantized base", Required = true };
    private readonly Option<string?> _data = new("--data") { Description = "Compare base and quantized base on these rows: .jsonl, .json or .txt; takes the memory of the unquantized model" };

    public QuantizeCommand(Session session)
        : base("quantize", "Write a base with quantized weights, as bitsandbytes does", session)
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
        OutputFolder.RequireKept(to, from, ("--data", arguments.GetValue(_data)));
        using FolderLock taken = OutputFolder.Take(to, ("--base", from));
        _weights.Base(arguments, entry.Tables);
        ModelEntry architecture = ModelArgument.Find(entry.Tables.Architecture);
        LogitSample? sample = arguments.GetValue(_data) is { } data ? LogitSample.Read(Session, data, from, entry.Tables) : null;
        BaseFolder.RequireNoShards(to);
        string[] files = Write(arguments, entry, from, to);
        ulong seed = (ulong)arguments.GetValue(CommonOptions.Seed);
        LogitComparison? before = sample is null ? null : LogitComparison.Measure(arguments, architecture, null, sample, model => BoundModel.Load(model, from, adapter: null, seed, WeightOptions.Ignored(arguments)), cancellation);
        LogitComparison? after = sample is null ? null : LogitComparison.Measure(arguments, entry, null, sample, model => BoundModel.Load(model, to, adapter: null, seed, WeightOptions.Ignored(arguments)), cancellation);
        var result = new QuantizeResult(
            entry.Tables.Name,
            files,
            new FileInfo(files[0]).Length,
            after is null ? null : before?.LargestDifference(after),
            after is null ? null : before?.Perplexities(after));
        Session.Emit(result, HostJson.Default.QuantizeResult, console => Show(console, result));
        return ExitCode.Done;
    }

    /// <exception cref="UsageException">Nothing is quantized, or something in a way that no other program reads.</exception>
    private static void RequireNf4(ModelTables tables)
    {
        if (tables.Parameters.FirstOrDefault(p => p.Format.Storage is Storage.Int8 or Storage.Int4) is { } other)
        {
            throw new UsageException($"{tables.Name} has {other.Path} as {other.Format}; bitsandbytes' form is for NF4 only, and the recipe quantizes while it loads, so it needs no such file");
        }

        if (!tables.Parameters.Any(p => p.Format.Storage == Storage.NF4))
        {
            throw new UsageException($"{tables.Name} quantizes no weights; name a recipe with [Frozen(Storage.NF4)]");
        }
    }

    /// <summary>Quantizes while loading, so that only one block of rows is ever unquantized.</summary>
    private static string[] Write(ParseResult arguments, ModelEntry entry, string from, string to)
    {
        using TransformerModel model = BoundModel.ForGeneration(arguments, entry, capacity: 1);
        BaseWeights.Load(model, from, WeightOptions.Ignored(arguments));
        return BaseFolder.SaveQuantized(model, from, to);
    }

    private static void Show(IAnsiConsole console, QuantizeResult result)
    {
        if (result.Perplexity is { } perplexity)
        {
            console.WriteLine($"perplexity {Tables.Number(perplexity.Before!.Value, 3)}, quantized {Tables.Number(perplexity.After!.Value, 3)}; logits differ by {Tables.Number(result.MaxLogitDifference!.Value, 4)} at most");
        }

        console.WriteLine($"wrote {Tables.Count(result.Bytes)} bytes of weights:");
        foreach (string file in result.Files)
        {
            console.WriteLine("  " + file);
        }
    }
}
