namespace ModelCompiler.Data;

/// <summary>A sequence to learn from: what the model sees at each position, and what should come next there.</summary>
/// <param name="Tokens">Ids the model sees.</param>
/// <param name="Targets">The next id at each position, or <see cref="IgnoreIndex"/> where it is not learned; as long as the tokens.</param>
public sealed record Example(int[] Tokens, int[] Targets)
{
    /// <summary>The target of a position that does not count.</summary>
    public const int IgnoreIndex = -100;

    /// <summary>How many positions count.</summary>
    public int TargetCount { get; } = Targets.Count(t => t >= 0);
}
