using System.CommandLine;
using System.Globalization;
using ModelCompiler.Backends;
using ModelCompiler.CommandLine.Options;
using ModelCompiler.CommandLine.Results;
using ModelCompiler.CommandLine.Runs;
using ModelCompiler.CommandLine.Terminal;
using ModelCompiler.Models;
using Spectre.Console;

namespace ModelCompiler.CommandLine.Commands;

/// <summary><c>mc logits</c>: the logits of every position, for checking a port of a model.</summary>
internal sealed class LogitsCommand : HostCommand
{
    private const int Shown = 5;

    private readonly Argument<string> _model = ModelArgument.Create();
    private readonly WeightOptions _weights = new();
    private readonly Option<string> _tokens = new("--tokens") { Description = "Token ids: 1,2,3", Required = true };

    public LogitsCommand(Session session)
        : base("logits", "The logits of every position, for checking a port", session)
    {
        Add(_model);
        _weights.AddTo(this, withAdapter: true);
        Add(_tokens);
    }

    protected override int Run(ParseResult arguments, CancellationToken cancellation)
    {
        ModelEntry entry = ModelArgument.Find(arguments.GetRequiredValue(_model));
        int[] tokens = Tokens(arguments.GetRequiredValue(_tokens), entry.Tables.Vocabulary);
        string? adapter = _weights.Adapter(arguments, entry.Tables);
        using TransformerModel model = BoundModel.ForGeneration(arguments, entry, tokens.Length, adapter);
        BoundModel.Load(model, _weights.Base(arguments, entry.Tables), adapter, (ulong)arguments.GetValue(CommonOptions.Seed), WeightOptions.Ignored(arguments));
        var result = new LogitsResult(entry.Tables.Name, tokens, LogitComparison.LogitsOf(model, tokens, cancellation));
        foreach ((int position, float[] row) in result.Logits.Index())
        {
            if (row.Any(value => !float.IsFinite(value)))
            {
                throw new UsageException($"the logits of position {position} are not finite; the weights or adapters are damaged");
            }
        }

        Session.Emit(result, HostJson.Default.LogitsResult, console => Show(console, result));
        return ExitCode.Done;
    }

    private static int[] Tokens(string text, int vocabulary) => [.. text.Split(',').Select(part =>
        !int.TryParse(part, NumberStyles.AllowLeadingWhite | NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture, out int id)
            ? throw new UsageException($"--tokens takes ids such as 1,2,3, not '{part}'")
            : id < vocabulary ? id : throw new UsageException($"token {id} is outside the vocabulary of {vocabulary}"))];

    private static void Show(IAnsiConsole console, LogitsResult result)
    {
        Table table = Tables.Create("position", "token", $"likeliest next tokens: logit");
        foreach ((int position, float[] row) in result.Logits.Index())
        {
            IEnumerable<string> best = row.Index().OrderByDescending(l => l.Item).Take(Shown).Select(l => $"{l.Index}: {Tables.Number(l.Item, 4)}");
            table.AddRow(Tables.Count(position), Tables.Count(result.Tokens[position]), string.Join("  ", best));
        }

        console.Write(table);
    }
}
