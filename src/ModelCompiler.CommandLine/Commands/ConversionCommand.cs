using System.CommandLine;
using ModelCompiler.CommandLine.Files;
using ModelCompiler.CommandLine.Options;
using ModelCompiler.CommandLine.Results;
using ModelCompiler.CommandLine.Runs;
using ModelCompiler.CommandLine.Terminal;
using ModelCompiler.Files;
using ModelCompiler.HuggingFace.Peft;
using ModelCompiler.HuggingFace.Weights;
using ModelCompiler.Models;
using ModelCompiler.Planning;
using Spectre.Console;

namespace ModelCompiler.CommandLine.Commands;

/// <summary>A command that writes a trained adapter in another form and reports whether that computes the same.</summary>
internal abstract class ConversionCommand : HostCommand
{
    private readonly Argument<string> _model = ModelArgument.Create();
    private readonly WeightOptions _weights = new();
    private readonly Option<int?> _rank = NumberOptions.OptionalWhole("--rank", "Of nested adapters (DyLoRA): the rank to take; default: the largest");
    private readonly Option<string?> _data = new("--data") { Description = "Also compare perplexities on these rows: .jsonl, .json or .txt" };

    protected ConversionCommand(string name, string description, Session session)
        : base(name, description, session)
    {
        Add(_model);
        _weights.AddTo(this, withAdapter: true);
        Add(Out);
        Add(_rank);
        Add(_data);
    }

    /// <summary>The folder to write.</summary>
    protected Option<string> Out { get; } = new("--out") { Description = "Folder to write", Required = true };

    protected override int Run(ParseResult arguments, CancellationToken cancellation)
    {
        ModelEntry entry = ModelArgument.Find(arguments.GetRequiredValue(_model));
        string basePath = _weights.Base(arguments);
        string adapter = _weights.AdapterPath(arguments) ?? throw new UsageException($"{Session.Program} {Name} needs --adapter, the folder of a trained adapter");
        string output = arguments.GetRequiredValue(Out);
        OutputFolder.RequireKept(output, basePath, ("--data", arguments.GetValue(_data)));
        using FolderLock taken = OutputFolder.Take(output, ("--base", basePath), ("--adapter", adapter));
        BaseFolder.RequireNoShards(output);
        int? rank = Rank(arguments, entry.Tables);
        _weights.Base(arguments, entry.Tables);
        _weights.Adapter(arguments, entry.Tables);
        LogitSample sample = LogitSample.Read(Session, arguments.GetValue(_data), basePath, entry.Tables);
        ModelEntry architecture = ModelArgument.Find(entry.Tables.Architecture);

        using TransformerModel model = BoundModel.ForGeneration(arguments, entry, sample.Tokens.Length, adapter);
        Load(model);
        LogitComparison before = LogitComparison.Measure(arguments, entry, AdapterFiles.Ranks(entry.Tables, adapter), sample, Load, cancellation);
        string[] files = Write(arguments, model, basePath, output);
        LogitComparison? after = CanMerge(model) ? LogitComparison.Measure(arguments, architecture, null, sample, m => Read(arguments, m, model, output), cancellation) : null;
        var result = new ConversionResult(entry.Tables.Name, files, after is null ? null : before.LargestDifference(after), after is null ? null : before.Perplexities(after));
        Session.Emit(result, HostJson.Default.ConversionResult, console => Show(console, result));
        return ExitCode.Done;

        void Load(TransformerModel m)
        {
            BoundModel.Load(m, basePath, adapter, (ulong)arguments.GetValue(CommonOptions.Seed), WeightOptions.Ignored(arguments));
            m.UseRank(rank ?? int.MaxValue);
        }
    }

    /// <summary>Writes the other form of a model's adapter.</summary>
    /// <returns>The files.</returns>
    protected abstract string[] Write(ParseResult arguments, TransformerModel model, string basePath, string output);

    /// <summary>Gives the architecture without adapters the weights that the files stand for.</summary>
    protected abstract void Read(ParseResult arguments, TransformerModel architecture, TransformerModel model, string output);

    /// <summary>A head that is tied to the embedding cannot take an adapter into its weights.</summary>
    protected static bool CanMerge(TransformerModel model) => model.Adapters.All(a => a.WeightIn(model).Info.Path != "TokenEmbedding");

    private int? Rank(ParseResult arguments, ModelTables tables)
    {
        if (arguments.GetValue(_rank) is not { } rank)
        {
            return null;
        }

        if (tables.Slots.Any(s => !s.Options.NestedRanks))
        {
            throw new UsageException($"--rank is for adapters of nested ranks (DyLoRA); those of {tables.Name} have one rank; remove --rank");
        }

        int most = tables.Slots.Max(s => s.Rank);
        return rank <= most ? rank : throw new UsageException($"--rank takes a whole number from 1 to {most}, not '{rank}'");
    }

    private static void Show(IAnsiConsole console, ConversionResult result)
    {
        console.WriteLine(result.MaxLogitDifference is { } difference
            ? $"logits differ by {difference.ToString("G3", System.Globalization.CultureInfo.InvariantCulture)} at most"
            : "logits are not compared: the head is the token embedding, so that no model without adapters computes the same");
        if (result.Perplexity is { } perplexity)
        {
            console.WriteLine($"perplexity {Tables.Number(perplexity.Before!.Value, 4)} with the adapter, {Tables.Number(perplexity.After!.Value, 4)} as written");
        }

        console.WriteLine("wrote:");
        foreach (string file in result.Files)
        {
            console.WriteLine("  " + file);
        }
    }
}
