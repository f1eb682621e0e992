namespace ModelCompiler.Planning;

/// <summary>
/// Finds the best plan. Batch, checkpointing, optimizer and storage are gone through exhaustively; the objective's own number, rank or sequence,
/// is found by bisection for each of them: it fits, and one more does not.
/// </summary>
internal sealed class FitSearch
{
    private const int RunnersUp = 4;

    private readonly ModelTables _tables;
    private readonly long _budget;
    private readonly FitSpace _space;
    private readonly PlanCosts _costs;
    private readonly StepTime _time;
    private readonly BackendProfile _profile;
    private readonly WeightFormat? _smallestStorage;

    public FitSearch(ModelTables tables, long budget, FitObjective objective, BackendProfile profile, FitOptions options)
    {
        (_tables, _budget, _profile) = (tables, budget, profile);
        _space = new FitSpace(tables, objective, profile, options);
        _costs = new PlanCosts(tables, profile);
        _time = new StepTime(tables, profile, options.Rates ?? DeviceRates.For(profile));

        // What a storage takes depends on nothing else: the smallest leaves most, whatever the rest of the plan.
        _smallestStorage = _space.Storages.OrderBy(s => _costs.FrozenWeights(PlanOf(_space.Lowest, _space.Policies[0], _space.Batches[0], _space.Optimizers[0], s))).First();
    }

    public FitResult Run()
    {
        FittedPlan[] best = _space.Policies.GroupBy(static p => p.Policy)
            .SelectMany(policies => _space.Optimizers.Select(optimizer => BestOf(policies.ToArray(), optimizer)))
            .OfType<FittedPlan>()
            .ToArray();
        Array.Sort(best, Compare);
        return best.Length == 0
            ? new FitResult(_space.Objective, _budget, null, [], Smallest(), [])
            : new FitResult(_space.Objective, _budget, best[0], best.Skip(1).Take(RunnersUp).ToArray(), null, FitAttributes.Of(_tables, _profile, best[0].Plan, _budget));
    }

    /// <summary>The best plan with one optimizer and one kind of checkpointing; null where none fits.</summary>
    private FittedPlan? BestOf(CheckpointChoice[] policies, Optimizer optimizer)
    {
        int value = _space.Lowest - 1;
        foreach (MicroBatchChoice batch in _space.Batches)
        {
            foreach (CheckpointChoice policy in policies)
            {
                value = Math.Max(value, Largest(policy, batch, optimizer, value));
            }
        }

        FittedPlan? best = null;
        if (value >= _space.Lowest)
        {
            foreach (TrainingPlan plan in PlansAt(value, policies, [optimizer], _space.Storages))
            {
                MemoryCost cost = _costs.Of(plan);
                if (cost.Peak <= _budget)
                {
                    FittedPlan fitted = Fitted(plan, cost);
                    best = best is null || Compare(fitted, best) < 0 ? fitted : best;
                }
            }
        }

        return best;
    }

    /// <summary>
    /// The objective's largest number by bisection; anything at most <paramref name="known"/> where it cannot be larger. Two budgets take the same steps
    /// until the larger one goes up, so that more memory never finds less.
    /// </summary>
    private int Largest(CheckpointChoice policy, MicroBatchChoice batch, Optimizer optimizer, int known)
    {
        (int fits, int exceeds) = (_space.Lowest - 1, _space.Highest + 1);
        if (Fits(_space.Highest))
        {
            return _space.Highest;
        }

        exceeds--;
        while (exceeds - fits > 1 && exceeds - 1 > known)
        {
            int middle = fits + (exceeds - fits) / 2;
            (fits, exceeds) = Fits(middle) ? (middle, exceeds) : (fits, middle);
        }

        return fits;

        bool Fits(int value)
        {
            TrainingPlan plan = PlanOf(value, policy, batch, optimizer, _smallestStorage);
            return _costs.WithoutFrames(plan) <= _budget && _costs.Of(plan).Peak <= _budget;
        }
    }

    /// <summary>The plan that takes least where none fits: the objective's number at its lowest, everything else searched.</summary>
    private FittedPlan Smallest()
    {
        TrainingPlan? smallest = null;
        long least = long.MaxValue;
        foreach (TrainingPlan plan in PlansAt(_space.Lowest, _space.Policies, _space.Optimizers, [_smallestStorage]))
        {
            long peak = _costs.Of(plan).Peak;
            (smallest, least) = peak < least ? (plan, peak) : (smallest, least);
        }

        return Fitted(smallest!, _costs.Of(smallest!));
    }

    private IEnumerable<TrainingPlan> PlansAt(
        int value, IReadOnlyList<CheckpointChoice> policies, IReadOnlyList<Optimizer> optimizers, IReadOnlyList<WeightFormat?> storages)
    {
        foreach (CheckpointChoice policy in policies)
        {
            foreach (MicroBatchChoice batch in _space.Batches)
            {
                foreach (Optimizer optimizer in optimizers)
                {
                    foreach (WeightFormat? storage in storages)
                    {
                        yield return PlanOf(value, policy, batch, optimizer, storage);
                    }
                }
            }
        }
    }

    private TrainingPlan PlanOf(int value, CheckpointChoice policy, MicroBatchChoice batch, Optimizer optimizer, WeightFormat? storage) =>
        _space.At(value, policy, batch, optimizer, storage);

    private FittedPlan Fitted(TrainingPlan plan, MemoryCost cost) => new(plan, cost, _time.Seconds(plan, plan.SizesFor(_tables), cost));

    /// <summary>Below 0 where the first is better: by the objective, then by what the recipe declares and what is exact, then by speed, then by memory.</summary>
    private int Compare(FittedPlan a, FittedPlan b)
    {
        int order = Value(b).CompareTo(Value(a));
        order = order != 0 ? order : IndexOf(_space.Storages, a.Plan.Storage).CompareTo(IndexOf(_space.Storages, b.Plan.Storage));
        order = order != 0 ? order : IndexOf(_space.Optimizers, a.Plan.Optimizer).CompareTo(IndexOf(_space.Optimizers, b.Plan.Optimizer));
        order = order != 0 ? order : b.TokensPerSecond.CompareTo(a.TokensPerSecond);
        return order != 0 ? order : a.Cost.Peak.CompareTo(b.Cost.Peak);
    }

    private double Value(FittedPlan plan) => _space.Objective switch
    {
        FitObjective.LongestSequence => plan.Plan.Sequence,
        FitObjective.LargestRank => plan.Plan.Rank!.Value,
        _ => plan.TokensPerSecond,
    };

    private static int IndexOf<T>(IReadOnlyList<T> list, T value)
    {
        int i = 0;
        while (!EqualityComparer<T>.Default.Equals(list[i], value))
        {
            i++;
        }

        return i;
    }
}
