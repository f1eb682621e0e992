using ModelCompiler.Models;
using ModelCompiler.Numerics;

namespace ModelCompiler.Adapters;

/// <summary>
/// DyLoRA's training (Valipour et al. 2023, section 3): every optimizer step draws one rank b for all adapters and updates the directions below it, or the
/// last of them only. Adam moves touched directions only, with a bias correction by each one's own updates; the published code steps all of
/// them, so that momentum and decay also move what a step did not use. Between steps the full rank is in use.
/// </summary>
public sealed class DyLoraSchedule : AdapterSchedule
{
    private readonly TransformerModel _model;
    private readonly DyLoraAdapter[] _adapters;
    private readonly DyLoraOptions _options;
    private readonly ulong _seed;
    private readonly int[] _choices;
    private readonly int[] _updates;
    private readonly DirectionCounts _rows;
    private readonly DirectionCounts _columns;
    private int _counted;

    /// <summary>Prepares the schedule of a run.</summary>
    /// <param name="model">The model.</param>
    /// <param name="adapters">Its DyLoRA adapters.</param>
    /// <param name="seed">The run's seed.</param>
    public DyLoraSchedule(TransformerModel model, DyLoraAdapter[] adapters, ulong seed)
    {
        (_model, _adapters, _seed) = (model, adapters, seed);
        int maximum = adapters.Max(a => a.Rank);
        _options = adapters[0].Options;
        _choices = Choices(_options.Draw, maximum);
        _updates = new int[maximum];
        (_rows, _columns) = (new DirectionCounts(true, _updates), new DirectionCounts(false, _updates));
    }

    /// <summary>The ranks that steps draw from.</summary>
    public static int[] Choices(RankDraw draw, int maximum) => draw == RankDraw.Uniform
        ? [.. Enumerable.Range(1, maximum)]
        : [.. Enumerable.Range(0, 31).Select(power => 1 << power).TakeWhile(rank => rank < maximum), maximum];

    /// <summary>The rank of a step: a function of the seed and the step alone, so a resumed run draws the same.</summary>
    /// <param name="step">The step, from 1.</param>
    public int RankOf(int step)
    {
        var random = new SplitMix(_seed, (ulong)step);
        int drawn = _choices[(int)random.Below((uint)_choices.Length)];
        return random.Uniform() < _options.FullRankShare ? _choices[^1] : drawn;
    }

    /// <inheritdoc/>
    public override void BeginStep(int step)
    {
        // A resumed run starts at a later step: the updates before it follow from the draws.
        while (_counted < step)
        {
            Count(RankOf(++_counted));
        }

        int rank = RankOf(step);
        _model.UseRank(rank);
        foreach (DyLoraAdapter adapter in _adapters)
        {
            int last = adapter.ActiveRank;
            int first = _options.LastOnly ? last - 1 : 0;
            adapter.A.Restrict(new Window(first, last - first, 0, adapter.Inputs), _rows);
            adapter.B.Restrict(new Window(0, adapter.Outputs, first, last - first), _columns);
        }
    }

    /// <inheritdoc/>
    public override void EndStep(int step, double rate) => _model.UseRank(int.MaxValue);

    private void Count(int rank)
    {
        for (int direction = _options.LastOnly ? rank - 1 : 0; direction < rank; direction++)
        {
            _updates[direction]++;
        }
    }
}
