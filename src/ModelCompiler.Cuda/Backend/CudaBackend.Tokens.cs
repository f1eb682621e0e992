using ModelCompiler.Operations;
using ModelCompiler.Planning;
using ModelCompiler.Tensors;

namespace ModelCompiler.Cuda;

/// <content>Embeddings, positions, dropout.</content>
public sealed unsafe partial class CudaBackend
{
    /// <inheritdoc/>
    public void Embedding(Tensor ids, Tensor table, Tensor y, float scale = 1) =>
        ForRows("embedding", y.Rows, y.Columns, Pack(ids, table, y).Add(table.Rows).Add(y.Columns).Add(scale), y.Type, table.Type);

    /// <inheritdoc/>
    public void EmbeddingGradient(Tensor dy, Tensor ids, Tensor gradient, float scale = 1) => OverRows(
        "embedding_gradient",
        gradient.IsNone ? 0 : dy.Rows,
        dy.Columns,
        Pack(dy, ids, gradient).Add(dy.Rows).Add(gradient.Rows).Add(dy.Columns).Add(scale),
        dy.Type,
        gradient.Type);

    /// <inheritdoc/>
    public void LearnedPositions(Tensor x, Tensor table, Tensor y) =>
        ForRows("learned_positions", y.Rows, y.Columns, Pack(x, table, y).Add(Constant(StepAt)).Add(y.Columns), y.Type, table.Type);

    /// <inheritdoc/>
    public void LearnedPositionsGradient(Tensor dy, Tensor gradient) => ForRows(
        "learned_positions_gradient",
        gradient.IsNone ? 0 : _step.Sequence,
        dy.Columns,
        Pack(dy, gradient).Add(Constant(StepAt)).Add(dy.Columns),
        dy.Type);

    /// <inheritdoc/>
    public void Rotary(Tensor x, Tensor y, RotaryShape shape) => Rotate(x, y, shape, 1);

    /// <inheritdoc/>
    public void RotaryGradient(Tensor dy, Tensor dx, RotaryShape shape) => Rotate(dy, dx, shape, -1);

    /// <inheritdoc/>
    public void Dropout(Tensor x, Tensor y, float rate, ulong key, int firstRow = 0)
    {
        // The kernel makes the key again from the step's seed, so that a captured graph has another mask in every step.
        ulong slot = Unmix(key) - _step.Seed;
        ForRows(
            "dropout",
            y.Rows,
            y.Columns,
            Pack(x, y).Add(Constant(StepAt)).Add(slot).Add(firstRow).Add(y.Columns)
                .Add(Backends.DropoutMask.Threshold(rate)).Add((float)(1 / (1 - (double)rate))),
            y.Type);
    }

    /// <summary>The inverse of the finalizer that makes a key of a seed.</summary>
    private static ulong Unmix(ulong z)
    {
        z ^= z >> 31 ^ z >> 62;
        z *= 0x319642B2D24D8EC3UL;
        z ^= z >> 27 ^ z >> 54;
        z *= 0x96DE1B173F119089UL;
        return z ^ z >> 30 ^ z >> 60;
    }

    private void Rotate(Tensor x, Tensor y, RotaryShape shape, float direction)
    {
        if (!y.IsNone)
        {
            OverRows(
                "rotary",
                y.Rows,
                y.Columns,
                Pack(x, y).Add(Frequencies(shape)).Add(Constant(StepAt)).Add(y.Columns / shape.HeadWidth).Add(shape.HeadWidth).Add(shape.Width).Add(direction),
                y.Type);
        }
    }
}
