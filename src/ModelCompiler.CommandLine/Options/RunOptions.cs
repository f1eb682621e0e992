using System.CommandLine;
using ModelCompiler.CommandLine.Terminal;
using ModelCompiler.Training;

namespace ModelCompiler.CommandLine.Options;

/// <summary>The choices of a training run that memory does not depend on, for <c>train</c> and <c>compare</c> alike.</summary>
internal sealed class RunOptions
{
    private readonly Option<int> _steps = NumberOptions.Whole("--steps", "Optimizer steps", 100);
    private readonly Option<int> _warmup = NumberOptions.Whole("--warmup-steps", "Steps over which the rate rises", 0, minimum: 0);
    private readonly Option<double> _rate = NumberOptions.Real("--learning-rate", "The highest learning rate", 2e-4, 1e-12, 10);
    private readonly Option<double> _decay = NumberOptions.Real("--weight-decay", "Decoupled weight decay of matrices", 0, 0, 10);
    private readonly Option<string> _schedule = new("--schedule") { Description = "Learning rate schedule: cosine, linear or constant", DefaultValueFactory = _ => "cosine" };

    /// <summary>Adds the options to a command.</summary>
    public void AddTo(Command command)
    {
        foreach (Option option in (ReadOnlySpan<Option>)[_steps, _rate, _schedule, _warmup, _decay])
        {
            command.Add(option);
        }
    }

    /// <summary>What the command line says.</summary>
    /// <exception cref="UsageException">A choice does not exist.</exception>
    public TrainingOptions Read(ParseResult arguments)
    {
        string schedule = EnumOption.Require("--schedule", arguments.GetValue(_schedule)!, ["cosine", "linear", "constant"]);
        return new TrainingOptions
        {
            Steps = arguments.GetValue(_steps),
            LearningRate = arguments.GetValue(_rate),
            Schedule = Enum.Parse<Schedule>(schedule, ignoreCase: true),
            WarmupSteps = arguments.GetValue(_warmup),
            WeightDecay = arguments.GetValue(_decay),
        };
    }
}
