using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using ModelCompiler.Models;
using ModelCompiler.Planning;
using ModelCompiler.Training;

namespace ModelCompiler.Adapters;

/// <summary>
/// The rank schedule of L1RA: after every step gates shrink, and ten times in a run (<see cref="L1raOptions.UpdateRatio"/>) directions
/// whose gates arrived at 0 go and their ranks move to other adapters, always between optimizer steps (Singh et al. 2025, and their published code).
/// </summary>
public sealed partial class L1raSchedule : AdapterSchedule
{
    private readonly TransformerModel _model;
    private readonly L1raAdapter[] _adapters;
    private readonly int _steps;
    private readonly ulong _seed;
    private readonly L1raOptions _options;
    private readonly int _interval;
    private readonly Dictionary<(int Slot, int Layer), int> _places;

    // How often the moments of each direction were updated: bias correction goes by it.
    private int[][] _updates;
    private int _spare;

    // The last step that was begun, so that one that failed and is tried again, or resumed, counts once.
    private int _begun;

    /// <summary>Prepares the schedule of a run; the gates' learning rate is set apart from that of the other parameters.</summary>
    /// <param name="model">A model planned for training.</param>
    /// <param name="adapters">Its L1RA adapters.</param>
    /// <param name="steps">Optimizer steps of the run.</param>
    /// <param name="seed">Seed of the run.</param>
    internal L1raSchedule(TransformerModel model, L1raAdapter[] adapters, int steps, ulong seed)
    {
        (_model, _adapters, _steps, _seed, _options) = (model, adapters, steps, seed, adapters[0].Options);
        _interval = Math.Max(1, (int)(_options.UpdateRatio * steps));
        _places = adapters.Index().ToDictionary(a => (a.Item.Index, a.Item.Layer), a => a.Index);
        _updates = [.. adapters.Select(a => new int[a.Rank])];
        foreach (L1raAdapter adapter in adapters)
        {
            adapter.C.OwnLearningRate = _options.GateRate;
            adapter.C.L1Penalty = _options.Mode == L1raMode.AdamE ? _options.Lambda : 0;
        }

        TakeRanks();
    }

    /// <inheritdoc/>
    public override string Fact => string.Create(CultureInfo.InvariantCulture, $"L1RA over {_steps} steps, ranks {(_model.Packed is null ? "stay" : "move")}");

    /// <inheritdoc/>
    public override RankPattern? Moved { get; protected set; }

    private bool Splices => _options.OptimizerOnReassign == OptimizerOnReassign.Splice;

    /// <inheritdoc/>
    public override void BeginStep(int step)
    {
        int completed = step - 1;
        if (_begun == step)
        {
            return;
        }

        _begun = step;
        Moved = null;
        if (completed > 0 && completed % _interval == 0 && _model.Packed is not null)
        {
            Look(completed);
        }

        foreach (int[] directions in _updates)
        {
            foreach (ref int updates in directions.AsSpan())
            {
                updates++;
            }
        }
    }

    /// <summary>The L1 term of <see cref="L1raMode.Proximal"/>; with AdamE the optimizer took it already. Gates then lie in [0, 1].</summary>
    public override void EndStep(int step, double rate)
    {
        double shrinkage = _options.Mode == L1raMode.Proximal ? _options.GateRate * _options.Lambda : 0;
        foreach (L1raAdapter adapter in _adapters)
        {
            _model.Backend.ShrinkGates(adapter.C.Value, shrinkage);
        }
    }

    /// <inheritdoc/>
    public override string Save() => JsonSerializer.Serialize(new State(_spare, _updates, _begun), StateJson.Default.State);

    /// <inheritdoc/>
    public override void Restore(string state)
    {
        State saved = JsonSerializer.Deserialize(state, StateJson.Default.State) ?? throw new JsonException("the state of the L1RA schedule is null");
        if (saved.Spare < 0 || saved.Updates is null || saved.Updates.Any(directions => directions is null || directions.Any(updates => updates < 0)))
        {
            throw new ArgumentException("the state of the L1RA schedule has a negative number or lacks one", nameof(state));
        }

        int[] ranks = [.. saved.Updates.Select(directions => directions.Length)];
        if (ranks.Length != _adapters.Length || (_model.Packed is null && !ranks.SequenceEqual(_adapters.Select(a => a.Rank))))
        {
            throw new ArgumentException($"the ranks {string.Join(" ", ranks)} are not those of {_adapters.Length} adapters, or may not move in this plan", nameof(state));
        }

        (_spare, _updates, _begun) = (saved.Spare, saved.Updates, saved.Begun);
        _model.Packed?.Resize(Pattern(ranks));
        TakeRanks();
    }

    private void Look(int completed)
    {
        double threshold = _options.PruneThreshold;
        Func<float, bool> isDead = _options.Mode == L1raMode.Proximal
            ? gate => gate <= (threshold > 0 ? threshold : 1e-6)
            : gate => gate < (threshold > 0 ? threshold : 1e-10);
        bool reassign = _options.Reassign && completed <= _steps - _interval;
        var decision = L1raRanks.Decide(
            [.. _adapters.Select(a => _model.Read(a.C))], [.. _adapters.Select(a => a.Slot.MaximumRank)], _spare, isDead, reassign,
            _options.ExcludePruned);
        _spare = decision.Spare;
        if (!decision.Changes)
        {
            return;
        }

        _updates = [.. decision.Kept.Select((kept, i) =>
        {
            var updates = new int[decision.Ranks[i]];
            for (int j = 0; Splices && j < kept.Length; j++)
            {
                updates[j] = _updates[i][kept[j]];
            }

            return updates;
        })];
        _model.Packed!.Move(Pattern(decision.Ranks), (slot, layer) => decision.Kept[_places[(slot, layer)]], Splices);
        TakeRanks();
        for (int i = 0; i < _adapters.Length; i++)
        {
            _adapters[i].Grow(_model, decision.Kept[i].Length, _seed, completed);
        }

        Moved = _model.Packed.Ranks;
    }

    /// <summary>These ranks of the L1RA adapters, with those that others have in the plan.</summary>
    private RankPattern Pattern(int[] ranks) => new(
        _model.Tables, (slot, layer) => _places.TryGetValue((slot, layer), out int place) ? ranks[place] : _model.Plan.Sizes.In(layer).Ranks[slot]);

    /// <summary>Handles, ranks and bias corrections after ranks moved.</summary>
    private void TakeRanks()
    {
        for (int i = 0; i < _adapters.Length; i++)
        {
            _adapters[i].TakeRank();
            foreach (Parameter parameter in _adapters[i].Parameters)
            {
                parameter.UpdateCounts = new DirectionCounts(parameter.Info.Rows.Symbol == DimSymbol.Rank, _updates[i]);
            }
        }

        _model.TakeRanks();
    }

    private sealed record State(int Spare, int[][] Updates, int Begun = 0);

    [JsonSerializable(typeof(State))]
    private sealed partial class StateJson : JsonSerializerContext;
}
