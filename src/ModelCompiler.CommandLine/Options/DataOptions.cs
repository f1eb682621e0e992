using System.CommandLine;
using ModelCompiler.CommandLine.Files;
using ModelCompiler.CommandLine.Runs;
using ModelCompiler.CommandLine.Terminal;
using ModelCompiler.Data;
using ModelCompiler.Planning;

namespace ModelCompiler.CommandLine.Options;

/// <summary>What to do with rows that do not fit or that nothing can be learned from, the same for every command that learns or evaluates.</summary>
internal sealed class DataOptions
{
    private const string DropLimitName = "--max-dropped";

    private readonly Option<bool> _truncate = new("--truncate") { Description = "Truncate rows longer than the sequence" };
    private readonly Option<string> _maximumDropped = new(DropLimitName)
    {
        Description = "Most rows that may be dropped for having nothing to learn from: a fraction, rounded up, or a number",
        DefaultValueFactory = _ => "5%",
    };

    private readonly Option<bool> _strict = new("--strict") { Description = "Stop at the first row that would be dropped" };

    /// <summary>Adds the options to a command; without <c>--truncate</c> where the command truncates anyway.</summary>
    public void AddTo(Command command, bool withTruncate = true)
    {
        foreach (Option option in (ReadOnlySpan<Option>)[_truncate, _maximumDropped, _strict])
        {
            if (withTruncate || option != _truncate)
            {
                command.Add(option);
            }
        }
    }

    /// <summary>How rows become examples for a model, as the command line says.</summary>
    /// <exception cref="UsageException">The limit is no share and no number.</exception>
    public ExampleOptions Read(ParseResult arguments, ModelTables tables, int sequence)
    {
        string text = arguments.GetValue(_maximumDropped)!;
        DropLimit limit = DropLimit.TryParse(text, out DropLimit parsed)
            ? parsed
            : throw new UsageException($"{DropLimitName} takes a share such as 5% or 0.05, or a number of rows, not '{text}'");
        return Examples.Options(tables, sequence, arguments.GetValue(_truncate)) with
        {
            MaximumDropped = arguments.GetValue(_strict) ? DropLimit.None : limit,
        };
    }
}
