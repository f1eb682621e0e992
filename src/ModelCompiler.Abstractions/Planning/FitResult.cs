namespace ModelCompiler.Planning;

/// <summary>A plan with what it takes.</summary>
/// <param name="Plan">The plan.</param>
/// <param name="Cost">What it takes, by <see cref="MemoryPlanner"/>.</param>
/// <param name="SecondsPerStep">Time of an optimizer step by the device's rates.</param>
public sealed record FittedPlan(TrainingPlan Plan, MemoryCost Cost, double SecondsPerStep)
{
    /// <summary>Tokens a second by the device's rates.</summary>
    public double TokensPerSecond => (double)Plan.Batch * Plan.Sequence * Plan.GradientAccumulation / SecondsPerStep;
}

/// <summary>What a search for a plan found.</summary>
/// <param name="Objective">What was asked for.</param>
/// <param name="Budget">The budget in bytes; the peak is held against it, what is paged to host memory is not.</param>
/// <param name="Best">The best plan that fits; null where none does.</param>
/// <param name="RunnersUp">The best plans with each other kind of checkpointing and optimizer, best first.</param>
/// <param name="Smallest">The plan that takes least, where none fits; else null.</param>
/// <param name="Attributes">The attributes that would fix the answer in the recipe.</param>
public sealed record FitResult(
    FitObjective Objective, long Budget, FittedPlan? Best, IReadOnlyList<FittedPlan> RunnersUp, FittedPlan? Smallest, IReadOnlyList<string> Attributes)
{
    /// <summary>Whether any plan fits.</summary>
    public bool Fits => Best is not null;

    /// <summary>By how many bytes even the smallest plan exceeds the budget; 0 where one fits.</summary>
    public long Missing => Smallest is null ? 0 : Smallest.Cost.Peak - Budget;
}
