namespace ModelCompiler.Adapters;

/// <summary>Options of L1RA (Singh et al. 2025); <see cref="AdapterOptions.Rank"/> is the rank that every adapter starts with.</summary>
public sealed record L1raOptions : AdapterOptions
{
    /// <inheritdoc/>
    public override string Method => "L1RA";

    /// <summary>The most that an adapter grows to, cut to what its weight can use; 0: twice the rank.</summary>
    public int MaximumRank { get; init; }

    /// <summary>How gates are driven to 0.</summary>
    public L1raMode Mode { get; init; } = L1raMode.Proximal;

    /// <summary>Learning rate of the gates, the same in every step.</summary>
    public double GateRate { get; init; } = 2e-2;

    /// <summary>Weight λ of the gates' L1 term: each step takes <see cref="GateRate"/> · λ from a gate.</summary>
    public double Lambda { get; init; } = 1e-3;

    /// <summary>
    /// Gates at or below (<see cref="L1raMode.Proximal"/>) or below this are pruned, from 0 to below 1; 0: 10⁻⁶, or 10⁻¹⁰ with
    /// <see cref="L1raMode.AdamE"/>.
    /// </summary>
    public double PruneThreshold { get; init; }

    /// <summary>The part of the run's steps, above 0 and at most 1, between two looks at the gates.</summary>
    public double UpdateRatio { get; init; } = 0.1;

    /// <summary>Whether pruned ranks go to other adapters. Not in the last <see cref="UpdateRatio"/> of a run.</summary>
    public bool Reassign { get; init; } = true;

    /// <summary>Whether an adapter that was just pruned gets no rank back at once.</summary>
    public bool ExcludePruned { get; init; } = true;

    /// <summary>What happens to moments when ranks move.</summary>
    public OptimizerOnReassign OptimizerOnReassign { get; init; } = OptimizerOnReassign.Restart;

    /// <inheritdoc/>
    public override bool AdaptiveRanks => true;

    /// <inheritdoc/>
    public override bool MovingRanks => true;

    /// <inheritdoc/>
    public override int LargestRank(int maximum) => Math.Min(maximum, MaximumRank == 0 ? 2 * Rank : MaximumRank);

    /// <inheritdoc/>
    public override AdapterOptions WithRank(int rank, int maximum) => this with { Rank = rank, MaximumRank = maximum };

    /// <inheritdoc/>
    public override string StreamOf(string parameter) => $"l1ra_{parameter}.weight";
}
