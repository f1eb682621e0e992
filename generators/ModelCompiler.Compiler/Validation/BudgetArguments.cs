using System.Globalization;
using ModelCompiler.Compiler.Description;
using ModelCompiler.Compiler.Lowering;
using ModelCompiler.Compiler.Passes;
using ModelCompiler.Planning;

namespace ModelCompiler.Compiler.Validation;

/// <summary>What budgets say of devices and plans, before anything is planned: a plan that passes can be planned for.</summary>
internal sealed class BudgetArguments
{
    private readonly List<Problem> _problems = [];
    private readonly ModelSpec _spec;

    private BudgetArguments(ModelSpec spec) => _spec = spec;

    /// <param name="spec">A sound architecture with a recipe.</param>
    /// <param name="recipe">The recipe.</param>
    /// <param name="sound">Whether its adapters and storage are in order, so that their slots can be asked.</param>
    public static IEnumerable<Problem> Check(ModelSpec spec, RecipeSpec recipe, bool sound)
    {
        var arguments = new BudgetArguments(spec);
        for (int i = 0; i < recipe.Budgets.Count; i++)
        {
            arguments.Check(recipe.Budgets[i], OriginOf(i));
        }

        if (sound)
        {
            arguments.CheckRanks(recipe.Budgets);
        }

        return arguments._problems;
    }

    public static IEnumerable<Problem> Warn(RecipeSpec recipe)
    {
        for (int i = 0; i < recipe.Budgets.Count; i++)
        {
            BudgetSpec budget = recipe.Budgets[i];
            if (recipe.Budgets.Take(i).FirstOrDefault(other => other with { Text = budget.Text } == budget) is { } earlier)
            {
                yield return new Problem(ProblemIds.BudgetSaidTwice, OriginOf(i), new EquatableArray<string>([earlier.Text, budget.Device.ToString()]));
            }
        }
    }

    private static Origin OriginOf(int budget) => new("", "MemoryBudget", "", budget);

    private void Check(BudgetSpec budget, Origin origin)
    {
        if (!ByteSize.TryParse(budget.Text, out _))
        {
            Add(ProblemIds.BudgetUnreadable, origin with { Argument = "budget" }, budget.Text);
        }

        if (!Enum.IsDefined(typeof(Device), budget.Device))
        {
            Add(ProblemIds.DeviceWithoutProfile, origin with { Argument = nameof(Device) }, Text((int)budget.Device), Members(typeof(Device)));
        }

        Require(budget.Threads is > 0 and <= Devices.MaximumThreads, origin, nameof(budget.Threads), budget.Threads, $"from 1 to {Text(Devices.MaximumThreads)}");
        Check(budget.Plan, origin);
    }

    private void Check(TrainingPlan plan, Origin origin)
    {
        bool batch = Require(plan.Batch > 0, origin, nameof(plan.Batch), plan.Batch, "positive");
        bool sequence = Require(plan.Sequence > 0, origin, nameof(plan.Sequence), plan.Sequence, "positive");
        if (plan.Sequence > _spec.Context)
        {
            Add(ProblemIds.SequenceAboveContext, origin with { Argument = nameof(plan.Sequence) }, Text(plan.Sequence), Text(_spec.Context), _spec.Recipe!.Architecture);
        }
        else if (batch && sequence)
        {
            int most = int.MaxValue / plan.Sequence;
            Require(plan.Batch <= most, origin, nameof(plan.Batch), plan.Batch, $"at most {Text(most)}; a step has fewer than 2^31 tokens");
        }

        RequireMember(plan.Checkpointing, origin, nameof(plan.Checkpointing));
        if (Require(plan.CheckpointEvery > 0, origin, nameof(plan.CheckpointEvery), plan.CheckpointEvery, "positive"))
        {
            Require(plan.CheckpointEvery == 1 || plan.Checkpointing == Checkpointing.Block, origin, nameof(plan.CheckpointEvery), plan.CheckpointEvery, "1 unless Checkpointing is Block");
        }

        Require(plan.SavedActivations is Storage.Float32 or Storage.BFloat16, origin, nameof(plan.SavedActivations), (int)plan.SavedActivations, "Storage.Float32 or Storage.BFloat16");
        RequireMember(plan.Optimizer, origin, nameof(plan.Optimizer));
        Require(plan.Rank is null or > 0, origin, nameof(plan.Rank), plan.Rank ?? 0, "positive");
        if (plan.Storage is { } format)
        {
            Check(format, origin with { Argument = nameof(plan.Storage) });
        }
    }

    private void Check(WeightFormat format, Origin origin)
    {
        if (!Enum.IsDefined(typeof(Storage), format.Storage))
        {
            Add(ProblemIds.UnknownStorage, origin, Text((int)format.Storage), Members(typeof(Storage)));
            return;
        }

        string uneven = ProjectionSize.Undivided(ProjectionSize.Of(_spec).Where(size => size.Projection != Projections.Head), format.BlockSize);
        if (QuantizedKind.Find(format.Storage) is { HasZeros: true } && uneven.Length > 0)
        {
            Add(ProblemIds.GroupsDoNotDivideInputs, origin, Text(format.BlockSize), uneven);
        }
    }

    private void CheckRanks(EquatableArray<BudgetSpec> budgets)
    {
        AdapterSlot[]? slots = null;
        for (int i = 0; i < budgets.Count; i++)
        {
            if (budgets[i].Plan.Rank is not { } rank)
            {
                continue;
            }

            slots ??= [.. InsertAdapters.Slots(_spec, Lower.Run(_spec)).Select(static slot => slot.Row)];
            string narrow = string.Join(", ", slots.Where(slot => rank > slot.MaximumRank).Select(static slot => $"{slot.Path} ({Text(slot.MaximumRank)})"));
            if (narrow.Length > 0)
            {
                Add(ProblemIds.BudgetRankTooLarge, OriginOf(i) with { Argument = nameof(TrainingPlan.Rank) }, Text(rank), narrow);
            }
        }
    }

    private void RequireMember<T>(T value, Origin origin, string argument)
        where T : struct, Enum =>
        Require(Enum.IsDefined(typeof(T), value), origin, argument, Convert.ToInt64(value, CultureInfo.InvariantCulture), "one of " + Members(typeof(T)));

    private bool Require(bool condition, Origin origin, string argument, long value, string range)
    {
        if (!condition)
        {
            Add(ProblemIds.BudgetArgumentUnusable, origin with { Argument = argument }, argument, Text(value), range);
        }

        return condition;
    }

    private void Add(string id, Origin origin, params string[] arguments) => _problems.Add(new Problem(id, origin, new EquatableArray<string>(arguments)));

    private static string Members(Type type) => string.Join(", ", Enum.GetNames(type));

    private static string Text(long value) => value.ToString(CultureInfo.InvariantCulture);
}
