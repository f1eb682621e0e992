using System.Globalization;
using ModelCompiler.Models;

namespace ModelCompiler.Adapters;

/// <summary>
/// Freezes the columns of B one after the other, the first one first: with a spectral start that is the largest singular direction. The
/// optimizer leaves frozen columns and their moments alone, decay included, and backward computes no gradient for them.
/// </summary>
/// <param name="adapters">The adapters.</param>
/// <param name="steps">Optimizer steps of the run.</param>
public sealed class LamdaSchedule(IEnumerable<LamdaAdapter> adapters, int steps) : AdapterSchedule
{
    private readonly LamdaAdapter[] _adapters = [.. adapters];

    /// <inheritdoc/>
    public override string Fact => string.Create(CultureInfo.InvariantCulture, $"LaMDA over {steps} steps");

    /// <summary>
    /// Frozen columns of B after t steps, min(r, ⌊r t / (f n)⌋: a straight line that reaches all r after the part f of the n steps (Azizi et al.
    /// 2024 freeze gradually in the early stages; their published code has the line without its factor r, so that 3 columns freeze at most).
    /// </summary>
    /// <param name="rank">r.</param>
    /// <param name="freezeUntil">f, from 0 to 1.</param>
    /// <param name="steps">n.</param>
    /// <param name="completed">t.</param>
    public static int FrozenColumns(int rank, double freezeUntil, int steps, int completed)
    {
        double until = freezeUntil * steps;
        return completed >= until ? rank : (int)Math.Floor((long)rank * completed / until);
    }

    /// <inheritdoc/>
    public override void BeginStep(int step)
    {
        foreach (LamdaAdapter adapter in _adapters)
        {
            int frozen = FrozenColumns(adapter.Rank, adapter.FreezeUntil, steps, step - 1);
            adapter.B.Restrict(new Window(0, adapter.Outputs, frozen, adapter.Rank - frozen));
        }
    }
}
