using System.Globalization;
using ModelCompiler.Adapters;
using ModelCompiler.Compiler.Adapters;
using ModelCompiler.Compiler.Description;
using ModelCompiler.Planning;

namespace ModelCompiler.Compiler.Validation;

/// <summary>Adapters and storage of a recipe over a sound architecture; <see cref="BudgetArguments"/> has its budgets.</summary>
internal sealed class RecipeValidation
{
    private readonly List<Problem> _problems = [];
    private readonly ModelSpec _spec;
    private readonly IReadOnlyList<ProjectionSize> _projections;
    private readonly Projections _existing;

    private RecipeValidation(ModelSpec spec)
    {
        _spec = spec;
        _projections = ProjectionSize.Of(spec);
        _existing = _projections.Aggregate(Projections.None, static (all, size) => all | size.Projection);
    }

    public static EquatableArray<Problem> Check(ModelSpec spec, RecipeSpec recipe)
    {
        var validation = new RecipeValidation(spec);
        for (int i = 0; i < recipe.Frozen.Count; i++)
        {
            validation.CheckFrozen(recipe.Frozen[i], recipe.Frozen.Take(i), new Origin("", "Frozen", "", i));
        }

        validation.CheckAdapters(recipe.Adapters);
        validation._problems.AddRange(BudgetArguments.Check(spec, recipe, sound: validation._problems.Count == 0));
        return new EquatableArray<Problem>(validation._problems);
    }

    public static EquatableArray<Problem> Warn(ModelSpec spec, RecipeSpec recipe)
    {
        var validation = new RecipeValidation(spec);
        for (int i = 0; i < recipe.Adapters.Count; i++)
        {
            AdapterSpec adapter = recipe.Adapters[i];
            validation.Add(AdapterExpansion.Find(adapter.Method)!.Warn(adapter, recipe, validation.TargetsOf(adapter)), OriginOf(recipe.Adapters, i));
        }

        validation._problems.AddRange(BudgetArguments.Warn(recipe));
        return new EquatableArray<Problem>(validation._problems);
    }

    private void CheckFrozen(FrozenSpec frozen, IEnumerable<FrozenSpec> earlier, Origin origin)
    {
        if (!Enum.IsDefined(typeof(Storage), frozen.Storage))
        {
            Add(ProblemIds.UnknownStorage, origin with { Argument = "storage" }, Text((int)frozen.Storage), string.Join(", ", Enum.GetNames(typeof(Storage))));
            return;
        }

        Projections missing = ProjectionSize.Missing(frozen.Targets, _existing);
        if (missing != 0)
        {
            Add(ProblemIds.UnknownTarget, origin with { Argument = "Targets" }, _spec.Recipe!.Architecture, Names(missing), Names(_existing));
        }

        if (earlier.Any(other => (other.Targets & frozen.Targets) == frozen.Targets && (other.Targets & ~frozen.Targets) == 0))
        {
            Add(ProblemIds.FrozenTwice, origin, Names(frozen.Targets));
        }

        if (!frozen.Quantizes && frozen.BlockSize != 0)
        {
            Add(ProblemIds.BlockSizeWithoutBlocks, origin with { Argument = "BlockSize" }, frozen.Storage.ToString());
        }

        if (frozen.DoubleQuantized && QuantizedKind.Find(frozen.Storage) is not { Nests: true })
        {
            Add(ProblemIds.DoubleQuantizedStorage, origin with { Argument = "DoubleQuantized" }, frozen.Storage.ToString());
        }

        if (frozen.Quantizes)
        {
            CheckBlocks(frozen, origin);
        }
    }

    private void CheckBlocks(FrozenSpec frozen, Origin origin)
    {
        int block = frozen.Format.BlockSize;
        if (block is < 32 or > 4096 || (block & (block - 1)) != 0)
        {
            Add(ProblemIds.BlockSizeUnusable, origin with { Argument = "BlockSize" }, Text(block));
            return;
        }

        string uneven = ProjectionSize.Undivided(_projections.Where(size => (frozen.Targets & size.Projection) != 0), block);
        if (QuantizedKind.Find(frozen.Storage) is { HasZeros: true } && uneven.Length > 0)
        {
            Add(ProblemIds.GroupsDoNotDivideInputs, origin with { Argument = "BlockSize" }, Text(block), uneven);
        }

        if ((frozen.Targets & Projections.Head) != 0 && _spec.Embedding.Tied)
        {
            Add(ProblemIds.TiedHeadQuantized, origin with { Argument = "Targets" }, frozen.Storage.ToString());
        }
    }

    private void CheckAdapters(EquatableArray<AdapterSpec> adapters)
    {
        if (adapters.Count == 0)
        {
            Add(ProblemIds.NoAdapter, new Origin(""), _spec.Type.Name);
        }

        var origins = new List<Origin>();
        for (int i = 0; i < adapters.Count; i++)
        {
            AdapterSpec adapter = adapters[i];
            Origin origin = OriginOf(adapters, i);
            CheckPlacement(adapter, origin);
            CheckMethod(adapter, origin);
            for (int j = 0; j < i; j++)
            {
                // Both reach the last layer, so common targets are common slots.
                Projections common = adapter.Targets & adapters[j].Targets & _existing;
                if (common != 0)
                {
                    Add(ProblemIds.SlotTakenTwice, origin with { Argument = "Targets" }, Names(common), adapters[j].Method, adapter.Method);
                    break;
                }
            }
        }
    }

    private void CheckPlacement(AdapterSpec adapter, Origin origin)
    {
        if (adapter.Targets == Projections.None)
        {
            Add(ProblemIds.NoTarget, origin with { Argument = "Targets" }, adapter.Method);
        }

        Projections missing = ProjectionSize.Missing(adapter.Targets, _existing);
        if (missing != 0)
        {
            Add(ProblemIds.UnknownTarget, origin with { Argument = "Targets" }, _spec.Recipe!.Architecture, Names(missing), Names(_existing));
        }

        int highest = _spec.Block.Repeat - 1;
        if (adapter.FirstLayer < 0 || adapter.FirstLayer > highest)
        {
            Add(ProblemIds.LayersOutside, origin with { Argument = "FirstLayer" }, "FirstLayer", Text(adapter.FirstLayer), Text(highest));
        }
        else if (adapter.Layers.Length > 0 && LayerSet.Find(adapter.Layers, _spec.Block.Repeat)?.Any(layer => layer >= adapter.FirstLayer) != true)
        {
            Add(ProblemIds.LayersOutside, origin with { Argument = "Layers" }, "Layers", $"\"{adapter.Layers}\"", Text(highest));
        }
    }

    private void CheckMethod(AdapterSpec adapter, Origin origin)
    {
        if (AdapterExpansion.Find(adapter.Method) is not { } expansion)
        {
            Add(ProblemIds.UnknownMethod, origin, adapter.Method, string.Join(", ", AdapterExpansion.All.Select(static method => method.Attribute)));
            return;
        }

        AdapterOptions options = expansion.Read(adapter);
        CheckRank(options.Rank, adapter.Targets, origin with { Argument = nameof(options.Rank) });
        if (!(options.Alpha >= 0 && options.Alpha <= float.MaxValue))
        {
            Add(ProblemIds.AlphaUnusable, origin with { Argument = nameof(options.Alpha) }, Text(options.Alpha));
        }

        if (!(options.Dropout >= 0 && options.Dropout < 1))
        {
            Add(ProblemIds.DropoutOutOfRange, origin with { Argument = nameof(options.Dropout) }, Text(options.Dropout));
        }

        Add(expansion.Check(adapter, _spec.Recipe!, TargetsOf(adapter)), origin);
    }

    private ProjectionSize[] TargetsOf(AdapterSpec adapter) => [.. _projections.Where(size => (adapter.Targets & size.Projection) != 0)];

    private static Origin OriginOf(EquatableArray<AdapterSpec> adapters, int index) =>
        new("", adapters[index].Method, "", adapters.Take(index).Count(other => other.Method == adapters[index].Method));

    private void CheckRank(int rank, Projections targets, Origin origin)
    {
        if (rank <= 0)
        {
            Add(ProblemIds.RankNotPositive, origin, Text(rank));
            return;
        }

        string[] tooNarrow = [.. _projections
            .Where(size => (targets & size.Projection) != 0 && rank > Math.Min(size.In, size.Out))
            .Select(static size => $"{size.Projection} ({Text(size.In)} to {Text(size.Out)})")];
        if (tooNarrow.Length > 0)
        {
            Add(ProblemIds.RankTooLarge, origin, Text(rank), string.Join(", ", tooNarrow));
        }
    }

    private void Add(IEnumerable<AdapterProblem> problems, Origin origin)
    {
        foreach (AdapterProblem problem in problems)
        {
            Add(problem.Id, origin with { Argument = problem.Argument }, problem.Texts);
        }
    }

    private void Add(string id, Origin origin, params string[] arguments) => _problems.Add(new Problem(id, origin, new EquatableArray<string>(arguments)));

    private static string Names(Projections targets) => targets.ToString();

    private static string Text(long value) => value.ToString(CultureInfo.InvariantCulture);

    private static string Text(float value) => value.ToString("R", CultureInfo.InvariantCulture);
}
