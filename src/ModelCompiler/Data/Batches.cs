using ModelCompiler.Numerics;

namespace ModelCompiler.Data;

/// <summary>
/// Batches of a fixed shape [batch, sequence] without end: epoch after epoch, each in an order of its own. Which examples a batch has
/// depends on its index and the seed alone, so a run can go on anywhere. Nothing is allocated after construction. Not for several
/// threads at once.
/// </summary>
public sealed class Batches
{
    private readonly ExampleSet _examples;
    private readonly int[] _order;
    private readonly ulong? _seed;
    private readonly int _longest;
    private long _orderedEpoch = -1;

    /// <summary>Creates the sequence of batches.</summary>
    /// <param name="examples">At least one; none longer than <paramref name="sequence"/>.</param>
    /// <param name="batch">Examples in a batch.</param>
    /// <param name="sequence">Positions of each; shorter examples are padded.</param>
    /// <param name="seed">Decides the order of each epoch; null keeps the order of the examples, for evaluation.</param>
    /// <exception cref="DatasetException">There is no example, or one is too long.</exception>
    public Batches(IReadOnlyList<Example> examples, int batch, int sequence, ulong? seed)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(batch);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(sequence);
        if (examples.Count == 0)
        {
            throw new DatasetException("there is no data to make batches of");
        }

        _examples = ExampleSet.Of(examples);
        for (int i = 0; i < _examples.Count; i++)
        {
            _longest = _examples.LengthOf(i) > _examples.LengthOf(_longest) ? i : _longest;
        }

        if (_examples.LengthOf(_longest) > sequence)
        {
            throw new DatasetException($"example {_longest + 1} has {_examples.LengthOf(_longest)} positions, a batch has {sequence}");
        }

        _order = new int[_examples.Count];
        _seed = seed;
        BatchSize = batch;
        Sequence = sequence;
        Fingerprint = Hash();
    }

    /// <summary>Examples in a batch.</summary>
    public int BatchSize { get; }

    /// <summary>Positions of each.</summary>
    public int Sequence { get; }

    /// <summary>Tells the data and its order from others, so that a run is not resumed with other data.</summary>
    public ulong Fingerprint { get; }

    /// <summary>Batches that hold every example once; the last may have rows of padding alone.</summary>
    public long PerEpoch => (_examples.Count + (long)BatchSize - 1) / BatchSize;

    /// <summary>
    /// The batches of an optimizer step: <paramref name="accumulate"/> of them, or those that are left of the epoch, for no step goes on into
    /// the next one. Batches of b accumulated a times therefore have the examples of any other b · a that is as large, in the same order.
    /// </summary>
    /// <param name="step">The step, from 0, over all epochs.</param>
    /// <param name="accumulate">Batches in a step.</param>
    public (long First, int Count) OfStep(long step, int accumulate)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(step);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(accumulate);
        (long epoch, long inEpoch) = Math.DivRem(step, (PerEpoch + accumulate - 1) / accumulate);
        long done = inEpoch * accumulate;
        return (epoch * PerEpoch + done, (int)Math.Min(accumulate, PerEpoch - done));
    }

    /// <summary>How many targets of a batch count.</summary>
    /// <param name="index">The batch, from 0, over all epochs.</param>
    public int TargetCount(long index)
    {
        int count = 0;
        for (int row = 0; row < BatchSize; row++)
        {
            count += ExampleAt(index, row) is { } example ? _examples.TargetCountOf(example) : 0;
        }

        return count;
    }

    /// <summary>Writes a batch.</summary>
    /// <param name="index">The batch, from 0, over all epochs.</param>
    /// <param name="ids">[batch · sequence] token ids; 0 where there is padding.</param>
    /// <param name="targets">[batch · sequence] targets; <see cref="Example.IgnoreIndex"/> where there is padding.</param>
    /// <returns>How many targets count.</returns>
    /// <exception cref="ArgumentException">A span has another length.</exception>
    public int Fill(long index, Span<int> ids, Span<int> targets)
    {
        if (ids.Length != BatchSize * Sequence || targets.Length != ids.Length)
        {
            throw new ArgumentException($"a batch has {BatchSize} x {Sequence} positions, the spans have {ids.Length} and {targets.Length}", nameof(ids));
        }

        ids.Clear();
        targets.Fill(Example.IgnoreIndex);
        int count = 0;
        for (int row = 0; row < BatchSize; row++)
        {
            if (ExampleAt(index, row) is { } example)
            {
                _examples.Fill(example, ids[(row * Sequence)..], targets[(row * Sequence)..]);
                count += _examples.TargetCountOf(example);
            }
        }

        return count;
    }

    private ulong Hash()
    {
        ulong hash = Fnv.Add<ulong>(Fnv.Start, [_seed ?? ulong.MaxValue]);
        var (tokens, targets) = (new int[_examples.LengthOf(_longest)], new int[_examples.LengthOf(_longest)]);
        for (int i = 0; i < _examples.Count; i++)
        {
            _examples.Fill(i, tokens, targets);
            int length = _examples.LengthOf(i);
            hash = Fnv.Add<int>(Fnv.Add<int>(hash, tokens.AsSpan(0, length)), targets.AsSpan(0, length));
        }

        return hash;
    }

    /// <summary>The place of an example; null for a row of padding.</summary>
    private int? ExampleAt(long index, int row)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        OrderEpoch(index / PerEpoch);
        long position = index % PerEpoch * BatchSize + row;
        return position < _order.Length ? _order[position] : null;
    }

    private void OrderEpoch(long epoch)
    {
        if (epoch == _orderedEpoch)
        {
            return;
        }

        for (int i = 0; i < _order.Length; i++)
        {
            _order[i] = i;
        }

        if (_seed is { } seed)
        {
            Shuffle(new SplitMix(seed, (ulong)epoch));
            if (epoch == 0)
            {
                // The longest first: what does not fit fails at the first step and not in the third hour.
                int at = Array.IndexOf(_order, _longest);
                (_order[0], _order[at]) = (_order[at], _order[0]);
            }
        }

        _orderedEpoch = epoch;
    }

    private void Shuffle(SplitMix random)
    {
        for (int i = _order.Length - 1; i > 0; i--)
        {
            int j = (int)random.Below((uint)i + 1);
            (_order[i], _order[j]) = (_order[j], _order[i]);
        }
    }
}
