using System.CommandLine;
using System.Diagnostics;
using ModelCompiler.Backends;
using ModelCompiler.CommandLine.Terminal;
using ModelCompiler.Planning;
using ModelCompiler.Training;

namespace ModelCompiler.CommandLine.Options;

/// <summary>What <c>mc plan --fit</c> searches for; what the other options give is not searched.</summary>
internal sealed class FitArguments
{
    /// <summary>In the order of <see cref="FitObjective"/>.</summary>
    private static readonly string[] s_objectives = ["fastest", "sequence", "rank"];

    private readonly Option<bool> _fit = new("--fit") { Description = "Find the best plan within the budget; values of other options, such as --sequence, are kept" };
    private readonly Option<string> _objective = new("--objective")
    {
        Description = "What to maximize: fastest (tokens per second), sequence (tokens in one) or rank",
        DefaultValueFactory = _ => "fastest",
    };

    private readonly Option<int> _step = NumberOptions.Whole("--step-batch", "Sequences in an optimizer step; micro-batches tried are its divisors", 16, maximum: 1 << 16);
    private readonly Option<bool> _calibrate = new("--calibrate") { Description = "Measure this machine's speed for half a second instead of assuming typical values" };

    /// <summary>Adds the options to a command.</summary>
    public void AddTo(Command command)
    {
        foreach (Option option in (ReadOnlySpan<Option>)[_fit, _objective, _step, _calibrate])
        {
            command.Add(option);
        }
    }

    /// <summary>Whether a search is asked for.</summary>
    public bool Wanted(ParseResult arguments) => arguments.GetValue(_fit);

    /// <summary>Searches.</summary>
    /// <param name="arguments">The command line.</param>
    /// <param name="tables">The model.</param>
    /// <param name="profile">The backend.</param>
    /// <param name="budget">The budget in bytes; null where none was given.</param>
    /// <param name="pins">What may not be chosen.</param>
    /// <returns>What was found, and the milliseconds that the search took.</returns>
    /// <exception cref="UsageException">There is no budget, or a choice is out of range for the model.</exception>
    public (FitResult Found, double Milliseconds) Run(ParseResult arguments, ModelTables tables, BackendProfile profile, long? budget, FitOptions pins)
    {
        FitObjective objective = ObjectiveOf(arguments.GetValue(_objective)!);
        long bytes = budget ?? throw new UsageException("--fit needs --budget, the memory that the plan may take: 24GiB, 8 GB, 900MiB");
        FitOptions options = pins with { EffectiveBatch = arguments.GetValue(_step), Rates = arguments.GetValue(_calibrate) ? Measure(arguments) : null };
        long start = Stopwatch.GetTimestamp();
        FitResult found = PlanOptions.Check(() => TrainingPlan.Fit(tables, bytes, objective, profile, options));
        return (found, Stopwatch.GetElapsedTime(start).TotalMilliseconds);
    }

    /// <summary>An objective's name on the command line.</summary>
    public static string Name(FitObjective objective) => s_objectives[(int)objective];

    private static FitObjective ObjectiveOf(string text) => (FitObjective)Array.IndexOf(s_objectives, EnumOption.Require("--objective", text, s_objectives));

    private static DeviceRates Measure(ParseResult arguments)
    {
        using IBackend backend = BackendChoice.Create(arguments);
        return RateMeasurement.Run(backend);
    }
}
