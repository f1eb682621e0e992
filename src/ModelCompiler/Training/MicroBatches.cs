using ModelCompiler.Backends;
using ModelCompiler.Data;
using ModelCompiler.Models;

namespace ModelCompiler.Training;

/// <summary>
/// Batches of data for a model. Trailing positions that no row needs are cut off, in whole blocks: attention is causal, so they
/// cannot change the loss. Allocates nothing after construction.
/// </summary>
internal sealed class MicroBatches
{
    /// <summary>Sequences are cut to multiples of this, so that few shapes occur.</summary>
    private const int Block = 8;

    private readonly Batches _data;
    private readonly int[] _ids;
    private readonly int[] _targets;

    /// <exception cref="ArgumentException">A batch is larger than the plan.</exception>
    public MicroBatches(TransformerModel model, Batches data)
    {
        if (model.Plan.Decodes)
        {
            throw new ArgumentException($"{model.Tables.Name} is planned for generation; plan it with ForTraining", nameof(model));
        }

        if (data.BatchSize > model.Plan.Sizes.Batch || data.Sequence > model.Plan.Sizes.Sequence)
        {
            throw new ArgumentException(
                $"batches of {data.BatchSize} x {data.Sequence} tokens are larger than the plan's {model.Plan.Sizes.Batch} x {model.Plan.Sizes.Sequence}", nameof(data));
        }

        _data = data;
        _ids = new int[data.BatchSize * data.Sequence];
        _targets = new int[_ids.Length];
    }

    /// <summary>Positions up to each row's last target, of the batch that was taken last.</summary>
    public int Positions { get; private set; }

    /// <summary>Targets of the batch that was taken last.</summary>
    public int Targets { get; private set; }

    /// <summary>A batch without the trailing positions that nothing needs; valid until the next is taken.</summary>
    /// <returns>Whether any target counts; with none there is nothing to run.</returns>
    public bool Take(long index, double lossScale, ulong seed, out TokenBatch batch)
    {
        Targets = _data.Fill(index, _ids, _targets);
        int sequence = CutPadding();
        int length = _data.BatchSize * sequence;
        batch = Targets == 0 ? default : new TokenBatch(
            new Step(_data.BatchSize, sequence, LossScale: lossScale, Seed: seed), _ids.AsSpan(0, length), _targets.AsSpan(0, length));
        return Targets > 0;
    }

    private int CutPadding()
    {
        int longest = 0;
        Positions = 0;
        for (int row = 0; row < _data.BatchSize; row++)
        {
            int used = _targets.AsSpan(row * _data.Sequence, _data.Sequence).LastIndexOfAnyInRange(0, int.MaxValue) + 1;
            longest = Math.Max(longest, used);
            Positions += used;
        }

        int sequence = Math.Min((longest + Block - 1) / Block * Block, _data.Sequence);
        for (int row = 1; row < _data.BatchSize && sequence < _data.Sequence; row++)
        {
            _ids.AsSpan(row * _data.Sequence, sequence).CopyTo(_ids.AsSpan(row * sequence));
            _targets.AsSpan(row * _data.Sequence, sequence).CopyTo(_targets.AsSpan(row * sequence));
        }

        return sequence;
    }
}
