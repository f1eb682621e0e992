namespace ModelCompiler.CommandLine.Results;

/// <summary>Result of <c>mc tune</c>.</summary>
/// <param name="Recipe">The recipe.</param>
/// <param name="Sequence">Tokens of a sequence.</param>
/// <param name="Steps">The least number of steps measured at each point, after a warm-up.</param>
/// <param name="Backend">The backend.</param>
/// <param name="Threads">Threads that computed.</param>
/// <param name="Budget">The budget; null where none was given.</param>
/// <param name="Points">What was measured, in its order.</param>
/// <param name="Ends">Why each kind of checkpointing was not tried with larger batches.</param>
/// <param name="Best">The recommended point: of those within 2 % of the most tokens a second, the one that takes least memory.</param>
/// <param name="Data">What became of the data's rows; null where the tokens were random.</param>
internal sealed record TuneResult(
    string Recipe, int Sequence, int Steps, string Backend, int Threads, long? Budget, TunePoint[] Points, TuneEnd[] Ends, TunePoint Best, DataCounts? Data);

/// <summary>One plan, measured. Seconds and tokens a second are medians over the steps.</summary>
internal sealed record TunePoint(string Checkpointing, int Batch, int GradientAccumulation, double TokensPerSecond, double SecondsPerStep, long Peak);

/// <summary>Where a sweep over batches ended.</summary>
internal sealed record TuneEnd(string Checkpointing, int Batch, string Reason);
