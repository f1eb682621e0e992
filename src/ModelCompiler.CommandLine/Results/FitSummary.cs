namespace ModelCompiler.CommandLine.Results;

/// <summary>What <c>mc plan --fit</c> found beside the plan itself. Speeds are a model's: counted operations and bytes by the device's rates.</summary>
/// <param name="Objective">What the plan is best at.</param>
/// <param name="TokensPerSecond">Predicted.</param>
/// <param name="SecondsPerStep">Predicted.</param>
/// <param name="Missing">Bytes by which even the smallest plan, which is then the result, exceeds the budget; 0 where one fits.</param>
/// <param name="LargestTerm">The plan's largest term.</param>
/// <param name="Attributes">The attributes that would fix the plan in the recipe.</param>
/// <param name="RunnersUp">The best plans with each other kind of checkpointing and optimizer.</param>
/// <param name="Milliseconds">Time of the search.</param>
internal sealed record FitSummary(
    string Objective,
    double TokensPerSecond,
    double SecondsPerStep,
    long Missing,
    string LargestTerm,
    IReadOnlyList<string> Attributes,
    IReadOnlyList<FitRunnerUp> RunnersUp,
    double Milliseconds);

/// <summary>A plan that was not the best.</summary>
internal sealed record FitRunnerUp(PlanChoices Plan, long Peak, double TokensPerSecond);
