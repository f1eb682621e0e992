using ModelCompiler.Tensors;

namespace ModelCompiler.Backends.Cpu;

public sealed unsafe partial class CpuBackend
{
    /// <inheritdoc/>
    /// <exception cref="ArgumentException">The caches are too short for the step's last position.</exception>
    public void CachedAttention(Tensor q, Tensor k, Tensor v, Tensor keyCache, Tensor valueCache, Tensor o, int heads, int keyValueHeads)
    {
        AttentionHeads shape = HeadsOf(q, k, v, heads, keyValueHeads);
        int capacity = keyCache.Rows / shape.Batch;
        if (Step.Position + shape.Sequence > capacity)
        {
            throw new ArgumentException($"Position {Step.Position + shape.Sequence - 1} is outside a cache of {capacity} positions per sequence.");
        }

        RequireShape(keyCache, capacity * shape.Batch, k.Columns);
        RequireShape(valueCache, capacity * shape.Batch, k.Columns);
        for (int sequence = 0; sequence < shape.Batch; sequence++)
        {
            int row = sequence * capacity + Step.Position;
            Copy(k.Slice(sequence * shape.Sequence, shape.Sequence), keyCache.Slice(row, shape.Sequence));
            Copy(v.Slice(sequence * shape.Sequence, shape.Sequence), valueCache.Slice(row, shape.Sequence));
        }

        shape.KeyRows = capacity;
        shape.Position = Step.Position;
        Attend(shape, q, keyCache, valueCache, o, Tensor.None);
    }
}
