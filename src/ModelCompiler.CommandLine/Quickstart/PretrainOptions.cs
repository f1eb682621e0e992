using System.CommandLine;
using ModelCompiler.CommandLine.Options;

namespace ModelCompiler.CommandLine.Quickstart;

/// <summary>Options of <c>mc pretrain</c>.</summary>
internal sealed class PretrainOptions
{
    private readonly Option<string> _recipe = new("--model") { Description = "The architecture", DefaultValueFactory = _ => "DocsWriter" };
    private readonly Option<string> _out = new("--out") { Description = "Folder for the base model", Required = true };
    private readonly Option<double> _minutes = NumberOptions.Real("--minutes", "Time to train for, where --steps is not given", 30, 0.01, 600);
    private readonly Option<int?> _steps = NumberOptions.OptionalWhole("--steps", "Optimizer steps; the same steps on as many threads give the same model");
    private readonly Option<int> _batch = NumberOptions.Whole("--batch", "Sequences in a step", 16);
    private readonly Option<int?> _members = NumberOptions.OptionalWhole("--members", "Learn from this many members only", minimum: 40);
    private readonly Option<double> _rate = NumberOptions.Real("--learning-rate", "The highest learning rate", 2e-3, 1e-9, 1);
    private readonly Option<double> _decay = NumberOptions.Real("--weight-decay", "Decoupled weight decay of matrices", 0.1, 0, 10);

    /// <summary>Adds the options to a command.</summary>
    public void AddTo(Command command)
    {
        foreach (Option option in (ReadOnlySpan<Option>)[_recipe, _out, _minutes, _steps, _batch, _members, _rate, _decay])
        {
            command.Add(option);
        }
    }

    /// <summary>What the command line says.</summary>
    public PretrainChoices Read(ParseResult arguments) => new(
        arguments.GetValue(_recipe)!,
        arguments.GetRequiredValue(_out),
        arguments.GetValue(_minutes),
        arguments.GetValue(_steps),
        arguments.GetValue(_batch),
        arguments.GetValue(_members),
        arguments.GetValue(_rate),
        arguments.GetValue(_decay),
        (ulong)arguments.GetValue(CommonOptions.Seed));
}

/// <summary>The choices of a pretraining run.</summary>
internal sealed record PretrainChoices(
    string Model, string Out, double Minutes, int? Steps, int Batch, int? Members, double LearningRate, double WeightDecay, ulong Seed);
