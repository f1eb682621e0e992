using ModelCompiler.Backends;

namespace ModelCompiler.Models;

/// <summary>The tokens of one micro-step, sequence after sequence.</summary>
/// <param name="step">Its scalars.</param>
/// <param name="ids">Token ids.</param>
/// <param name="targets">The id to predict at each position; below 0, such as <see cref="Data.Example.IgnoreIndex"/>, where there is none.</param>
public readonly ref struct TokenBatch(Step step, ReadOnlySpan<int> ids, ReadOnlySpan<int> targets)
{
    /// <summary>Its scalars.</summary>
    public Step Scalars { get; } = step;

    /// <summary>Token ids.</summary>
    public ReadOnlySpan<int> Ids { get; } = ids;

    /// <summary>The id to predict at each position.</summary>
    public ReadOnlySpan<int> Targets { get; } = targets;
}
