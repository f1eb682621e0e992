namespace ModelCompiler.Planning;

/// <summary>A rank for every adapter of a model, where they differ between layers (PEFT: <c>rank_pattern</c>).</summary>
public sealed class RankPattern : IEquatable<RankPattern>
{
    private readonly LayerSet?[] _layers;
    private readonly int[][] _ranks;

    /// <summary>Asks for the rank of every adapter.</summary>
    /// <param name="tables">The model.</param>
    /// <param name="rankOf">The rank in a slot, given by its index, and a layer; the layer is -1 outside the layers.</param>
    public RankPattern(ModelTables tables, Func<int, int, int> rankOf)
    {
        _layers = tables.Slots.Select(static s => s.Layers).ToArray();
        _ranks = tables.Slots.Select((s, slot) => tables.LayersOf(s).Select(layer => rankOf(slot, layer)).ToArray()).ToArray();
    }

    /// <summary>The sum of all ranks.</summary>
    public int Total => _ranks.Sum(static r => r.Sum());

    /// <summary>The mean of all ranks; 0 where there are none.</summary>
    public double Mean => _ranks.Length == 0 ? 0 : Total / (double)_ranks.Sum(static r => r.Length);

    /// <summary>The rank in a slot, given by its index, and a layer; the layer is -1 outside the layers.</summary>
    public int this[int slot, int layer]
    {
        get
        {
            int index = _layers[slot]?.IndexOf(layer) ?? layer;
            return _ranks[slot][Math.Min(index < 0 ? ~index : index, _ranks[slot].Length - 1)];
        }
    }

    /// <summary>The ranks of all slots in a layer; those of slots that have no adapter there are of a layer that has one, the head's is the one it has.</summary>
    public int[] In(int layer) => _ranks.Select((_, slot) => this[slot, layer]).ToArray();

    /// <summary>Whether there is a rank for each adapter of a model.</summary>
    public bool Fits(ModelTables tables) =>
        _ranks.Length == tables.Slots.Length && tables.Slots.Select(s => tables.LayersOf(s).Length).SequenceEqual(_ranks.Select(static r => r.Length));

    /// <inheritdoc/>
    public bool Equals(RankPattern? other) =>
        other is not null && _ranks.Length == other._ranks.Length && _ranks.Zip(other._ranks, static (a, b) => a.SequenceEqual(b)).All(static same => same);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as RankPattern);

    /// <inheritdoc/>
    public override int GetHashCode() => _ranks.Aggregate(0, static (hash, slot) => slot.Aggregate(hash, static (h, rank) => unchecked((h * 31) + rank)));

    /// <summary>The ranks of each slot, layer by layer: "4 4 8; 2 2 2".</summary>
    public override string ToString() => string.Join("; ", _ranks.Select(static r => string.Join(" ", r)));
}
