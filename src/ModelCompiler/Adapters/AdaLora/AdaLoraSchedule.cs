using System.Globalization;
using ModelCompiler.Backends;
using ModelCompiler.Models;
using ModelCompiler.Planning;
using ModelCompiler.Tensors;

namespace ModelCompiler.Adapters;

/// <summary>
/// AdaLoRA's training (Zhang et al. 2023, sections 3.1 to 3.3): gradients that keep A's rows and B's columns orthonormal, a score for each
/// direction from smoothed sensitivity and uncertainty, and a budget of directions that falls with the third power of time; directions above it
/// have E = 0. As in the authors' code, sensitivity is of the weights after the update, so that a direction may come back until the budget has reached its end.
/// </summary>
public sealed class AdaLoraSchedule : AdapterSchedule
{
    private readonly IBackend _kernels;
    private readonly AdaLoraAdapter[] _adapters;
    private readonly AdaLoraOptions _options;
    private readonly int _steps;
    private readonly int _warmup;
    private readonly int _last;
    private readonly int _initial;
    private readonly int _target;
    private readonly double[] _order;
    private readonly int[] _directions;
    private readonly double[] _sums;
    private readonly double[] _mask;
    private readonly Dictionary<int, double[]> _minusIdentity;

    /// <summary>Prepares the schedule of a run.</summary>
    /// <param name="model">The model.</param>
    /// <param name="adapters">Its AdaLoRA adapters.</param>
    /// <param name="steps">Optimizer steps of the run.</param>
    public AdaLoraSchedule(TransformerModel model, AdaLoraAdapter[] adapters, int steps)
    {
        (_kernels, _adapters, _steps) = (model.Backend, adapters, steps);
        _options = adapters[0].Options;
        (_warmup, _last) = Phases(steps, _options.Warmup, _options.Final);
        (_initial, _target) = (adapters.Sum(a => a.Rank), adapters.Sum(a => a.TargetRank));
        (_order, _directions) = (new double[_initial], new int[_initial]);
        int widest = adapters.Max(a => a.Rank);
        (_sums, _mask) = (new double[3 * widest], new double[widest]);
        _minusIdentity = adapters.Select(a => a.Rank).Distinct().ToDictionary(r => r, r =>
        {
            var matrix = new double[r * r];
            for (int i = 0; i < r; i++)
            {
                matrix[i * r + i] = -1;
            }

            return matrix;
        });
    }

    /// <inheritdoc/>
    public override string Fact => string.Create(CultureInfo.InvariantCulture, $"AdaLoRA over {_steps} steps");

    /// <summary>The last step with the whole budget, and the step from which on the kept directions are fixed.</summary>
    /// <param name="steps">Steps of the run.</param>
    /// <param name="warmup">Part of them before the budget falls.</param>
    /// <param name="final">Part of them after it fell.</param>
    public static (int Warmup, int Last) Phases(int steps, double warmup, double final)
    {
        int first = (int)Math.Round(warmup * steps);
        return (first, Math.Clamp(steps - (int)Math.Round(final * steps), Math.Min(first + 1, steps), steps));
    }

    /// <summary>Directions that are kept after a step: b_T + (b_0 − b_T) (1 − (t − t_i) / (T − t_f − t_i))³, rounded down (section 3.3).</summary>
    /// <param name="step">t.</param>
    /// <param name="warmup">t_i.</param>
    /// <param name="last">T − t_f.</param>
    /// <param name="initial">b_0.</param>
    /// <param name="target">b_T.</param>
    public static int Budget(int step, int warmup, int last, int initial, int target)
    {
        if (step <= warmup)
        {
            return initial;
        }

        double left = step >= last ? 0 : 1 - (double)(step - warmup) / (last - warmup);
        return target + (int)((initial - target) * left * left * left);
    }

    /// <summary>
    /// Adds the gradients 4 γ / n · (A Aᵀ − I) A and 4 γ / n · B (Bᵀ B − I) of γ times the mean, over all n matrices A and B, of ‖A Aᵀ − I‖² and ‖Bᵀ B − I‖²: the squares
    /// of equation 4, and the mean of the authors' code, so that γ is of the same weight whatever the number of adapters.
    /// </summary>
    public override void AddGradients(int step)
    {
        if (_options.Orthogonality == 0)
        {
            return;
        }

        float factor = 4 * _options.Orthogonality / (2 * _adapters.Length);
        foreach (AdaLoraAdapter adapter in _adapters)
        {
            (Tensor a, Tensor b, Tensor overlap) = (adapter.A.Value, adapter.B.Value, adapter.Overlap.Value);
            (Tensor da, Tensor db) = (adapter.A.Gradient, adapter.B.Gradient);
            _kernels.Write(overlap, (ReadOnlySpan<double>)_minusIdentity[adapter.Rank]);
            _kernels.Linear(a, a, overlap, addend: overlap);
            _kernels.LinearGradientInput(overlap, a, da, addend: da, scale: factor);
            _kernels.Write(overlap, (ReadOnlySpan<double>)_minusIdentity[adapter.Rank]);
            _kernels.LinearGradientWeight(b, b, overlap);
            _kernels.Linear(b, overlap, db, addend: db, scale: factor);
        }
    }

    /// <inheritdoc/>
    public override void EndStep(int step, double rate)
    {
        if (step <= _last)
        {
            foreach (AdaLoraAdapter adapter in _adapters)
            {
                for (int i = 0; i < adapter.Rated.Count; i++)
                {
                    Rate(adapter.Rated[i]);
                }
            }
        }

        if (step == _last || (step > _warmup && step < _last && step % _options.Interval == 0))
        {
            Allocate(Budget(step, _warmup, _last, _initial, _target));
        }

        if (step >= _last)
        {
            foreach (AdaLoraAdapter adapter in _adapters)
            {
                Apply(adapter);
            }
        }
    }

    private void Rate(RatedParameter rated) =>
        _kernels.Importance(rated.Value.Value, rated.Value.Gradient, rated.Sensitivity.Value, rated.Uncertainty.Value, _options.Beta1, _options.Beta2);

    /// <summary>Keeps as many directions of all adapters as the budget allows, those of the highest scores.</summary>
    private void Allocate(int budget)
    {
        int first = 0;
        foreach (AdaLoraAdapter adapter in _adapters)
        {
            Score(adapter, _order.AsSpan(first, adapter.Rank));
            first += adapter.Rank;
        }

        for (int i = 0; i < _directions.Length; i++)
        {
            _directions[i] = i;
        }

        Array.Sort(_order, _directions);
        Array.Sort(_directions, 0, _initial - budget);
        int dropped = 0;
        first = 0;
        foreach (AdaLoraAdapter adapter in _adapters)
        {
            Span<double> mask = _mask.AsSpan(0, adapter.Rank);
            mask.Fill(1);
            for (; dropped < _initial - budget && _directions[dropped] < first + adapter.Rank; dropped++)
            {
                mask[_directions[dropped] - first] = 0;
            }

            _kernels.Write(adapter.Mask.Value, (ReadOnlySpan<double>)mask);
            Apply(adapter);
            first += adapter.Rank;
        }
    }

    /// <summary>The score of each direction: that of its value in E, and the means of its column of B and its row of A (equation 7).</summary>
    private void Score(AdaLoraAdapter adapter, Span<double> scores)
    {
        Tensor sums = adapter.Scores.Value;
        _kernels.Zero(sums);
        (RatedParameter a, RatedParameter b, RatedParameter e) = (adapter.Rated[0], adapter.Rated[1], adapter.Rated[2]);
        _kernels.ScaleChannelsGradientWeight(e.Sensitivity.Value, e.Uncertainty.Value, sums.Slice(0, 1));
        _kernels.ScaleChannelsGradientWeight(b.Sensitivity.Value, b.Uncertainty.Value, sums.Slice(1, 1));
        _kernels.RowProducts(a.Sensitivity.Value, a.Uncertainty.Value, sums.Slice(2, 1));
        Span<double> read = _sums.AsSpan(0, 3 * adapter.Rank);
        _kernels.Read(sums, read);
        for (int k = 0; k < scores.Length; k++)
        {
            scores[k] = read[k] + read[adapter.Rank + k] / adapter.Outputs + read[2 * adapter.Rank + k] / adapter.Inputs;
        }
    }

    private void Apply(AdaLoraAdapter adapter) => _kernels.ScaleChannels(adapter.E.Value, adapter.Mask.Value, adapter.E.Value);
}
