namespace ModelCompiler.Backends;

/// <summary>The scalars of one micro-step, handed to the backend before its first kernel.</summary>
/// <param name="Batch">Sequences in the micro-batch.</param>
/// <param name="Sequence">Rows of one sequence in every token buffer.</param>
/// <param name="Position">Position of each sequence's first row: 0 in training, the length of the cache when generating.</param>
/// <param name="LossScale">Factor on the gradient of the loss: 1 / valid tokens of all micro-batches of the step.</param>
/// <param name="Seed">Seed of this micro-step's dropout masks.</param>
public readonly record struct Step(int Batch, int Sequence, int Position = 0, double LossScale = 1, ulong Seed = 0)
{
    /// <summary>Demands at least one sequence of at least one row, positions from 0 on, and no more of either than an int can count.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A number of the step is out of range.</exception>
    public void Check()
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(Batch, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(Sequence, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(Position);
        ArgumentOutOfRangeException.ThrowIfGreaterThan((long)Batch * Sequence, int.MaxValue, "Batch * Sequence");
        ArgumentOutOfRangeException.ThrowIfGreaterThan((long)Position + Sequence, int.MaxValue, "Position + Sequence");
    }

    /// <summary>The key of one dropout mask. The mask is a pure function of key, row and column, so backward replays it.</summary>
    /// <param name="layer">Layer index; -1 for the head.</param>
    /// <param name="slot">Index of the adapter slot.</param>
    public ulong Key(int layer, int slot)
    {
        ulong z = Seed + 0x9E3779B97F4A7C15UL * (ulong)(uint)(layer + 1) + 0xD1B54A32D192ED03UL * (ulong)(uint)(slot + 1);
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9UL;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBUL;
        return z ^ (z >> 31);
    }
}
