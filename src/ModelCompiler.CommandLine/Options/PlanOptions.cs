using System.CommandLine;
using System.Globalization;
using ModelCompiler.CommandLine.Terminal;
using ModelCompiler.Planning;

namespace ModelCompiler.CommandLine.Options;

/// <summary>The choices of a run that memory depends on, for <c>plan</c> and <c>train</c> alike.</summary>
internal sealed class PlanOptions
{
    private const int DefaultSequence = 256;

    /// <summary>In the order of <see cref="Checkpointing"/>.</summary>
    private static readonly string[] s_policies = ["none", "selective", "block"];

    private static readonly string[] s_activations = [nameof(Storage.Float32), nameof(Storage.BFloat16)];

    private readonly Option<int> _batch = NumberOptions.Whole("--batch", "Sequences in a micro-batch", 1);
    private readonly Option<int?> _sequence = NumberOptions.OptionalWhole("--sequence", $"Tokens of a sequence; default: {DefaultSequence}, or the context where that is shorter");
    private readonly Option<int> _accumulate = NumberOptions.Whole("--gradient-accumulation", "Micro-batches in an optimizer step", 1);
    private readonly Option<int?> _rank = NumberOptions.OptionalWhole("--rank", "Rank of all adapters instead of the declared ones");
    private readonly Option<string> _checkpointing = new("--checkpointing")
    {
        Description = "What backward recomputes: none, selective (cheap values), block (everything, from each layer's input) or N (from the input of every Nth layer)",
        DefaultValueFactory = _ => "selective",
    };
    private readonly Option<string> _activations = new("--saved-activations")
    {
        Description = "Storage of saved activations: Float32 or BFloat16",
        DefaultValueFactory = _ => "Float32",
    };

    private readonly Option<string> _optimizer = new("--optimizer")
    {
        Description = string.Join(", ", OptimizerRule.All.Select(rule => rule.Option + (rule.Remark.Length == 0 ? "" : $" ({rule.Remark})"))),
        DefaultValueFactory = _ => Name(Optimizer.AdamW),
    };

    private readonly Option<string?> _storage = new("--storage")
    {
        Description = $"Storage of the frozen weights: {string.Join(", ", Enum.GetNames<Storage>())}; default: the recipe's. Quantized in blocks of {WeightFormat.DefaultBlock}, NF4 double quantized",
    };

    /// <summary>Adds the options to a command.</summary>
    public void AddTo(Command command)
    {
        command.Add(_batch);
        command.Add(_sequence);
        command.Add(_accumulate);
        command.Add(_checkpointing);
        command.Add(_activations);
        command.Add(_rank);
        command.Add(_optimizer);
        command.Add(_storage);
    }

    /// <summary>The plan of the command line.</summary>
    /// <exception cref="UsageException">A choice does not exist.</exception>
    public TrainingPlan Read(ParseResult arguments, ModelTables tables)
    {
        (Checkpointing policy, int every) = PolicyOf(arguments.GetValue(_checkpointing)!);
        return new TrainingPlan
        {
            Batch = arguments.GetValue(_batch),
            Sequence = arguments.GetValue(_sequence) ?? Math.Min(DefaultSequence, tables.Context),
            GradientAccumulation = arguments.GetValue(_accumulate),
            Rank = arguments.GetValue(_rank),
            Checkpointing = policy,
            CheckpointEvery = every,
            SavedActivations = Enum.Parse<Storage>(EnumOption.Require("--saved-activations", arguments.GetValue(_activations)!, s_activations)),
            Optimizer = OptimizerOf(arguments.GetValue(_optimizer)!),
            Storage = arguments.GetValue(_storage) is { } storage ? FormatOf(storage) : null,
        };
    }

    /// <summary>What the command line gives itself, for a search that may choose the rest.</summary>
    /// <param name="arguments">The command line.</param>
    /// <param name="plan">The plan it makes, with ranks that methods chose from the base.</param>
    public FitOptions Pins(ParseResult arguments, TrainingPlan plan) => new()
    {
        Template = new TrainingPlan { Sequence = plan.Sequence, Ranks = plan.Ranks, SavedActivations = plan.SavedActivations },
        Batch = Given(arguments, _batch) ? plan.Batch : null,
        Sequence = Given(arguments, _sequence) ? plan.Sequence : null,
        GradientAccumulation = Given(arguments, _accumulate) ? plan.GradientAccumulation : null,
        Checkpointing = Given(arguments, _checkpointing) ? plan.Checkpointing : null,
        CheckpointEvery = Given(arguments, _checkpointing) ? plan.CheckpointEvery : null,
        Optimizer = Given(arguments, _optimizer) ? plan.Optimizer : null,
        Storage = plan.Storage,
        Rank = plan.Rank,
    };

    /// <summary>Runs the planner; a number out of range is the user's to put right.</summary>
    /// <exception cref="UsageException">A number is out of range for the model.</exception>
    public static T Check<T>(Func<T> plan)
    {
        try
        {
            return plan();
        }
        catch (ArgumentException error)
        {
            throw new UsageException(error.Message, error);
        }
    }

    /// <summary>A policy's name on the command line.</summary>
    public static string Name(Checkpointing policy, int every) => policy == Checkpointing.Block && every > 1
        ? every.ToString(CultureInfo.InvariantCulture)
        : s_policies[(int)policy];

    /// <summary>An optimizer's name on the command line.</summary>
    public static string Name(Optimizer optimizer) => OptimizerRule.Of(optimizer).Option;

    private static bool Given(ParseResult arguments, Option option) => arguments.GetResult(option) is { Implicit: false };

    private static Optimizer OptimizerOf(string text)
    {
        string option = EnumOption.Require("--optimizer", text, [.. OptimizerRule.All.Select(rule => rule.Option)]);
        return OptimizerRule.All.Single(rule => rule.Option == option).Optimizer;
    }

    private static WeightFormat FormatOf(string text) => WeightFormat.Of(Enum.Parse<Storage>(EnumOption.Require("--storage", text, Enum.GetNames<Storage>())));

    private static (Checkpointing Policy, int Every) PolicyOf(string text)
    {
        int word = Array.FindIndex(s_policies, p => p.Equals(text, StringComparison.OrdinalIgnoreCase));
        return word >= 0 ? ((Checkpointing)word, 1)
            : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int every) ? (Checkpointing.Block, every)
            : throw new UsageException($"--checkpointing takes {string.Join(" or ", s_policies)} or a number of layers, not '{text}'");
    }
}
