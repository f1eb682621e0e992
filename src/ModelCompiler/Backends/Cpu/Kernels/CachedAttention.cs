using ModelCompiler.Operations;
using ModelCompiler.Tensors;

namespace ModelCompiler.Backends.Cpu;

public sealed unsafe partial class CpuBackend
{
    /// <inheritdoc/>
    /// <exception cref="ArgumentException">The caches are too short for the step's last position.</exception>
    public void CachedAttention(Tensor q, Tensor k, Tensor v, Tensor keyCache, Tensor valueCache, Tensor o, AttentionShape shape)
    {
        AttentionHeads heads = HeadsOf(q, k, v, shape);
        int capacity = keyCache.Rows / heads.Batch;
        if (Step.Position + heads.Sequence > capacity)
        {
            throw new ArgumentException($"Position {Step.Position + heads.Sequence - 1} is outside a cache of {capacity} positions per sequence.");
        }

        RequireShape(keyCache, capacity * heads.Batch, k.Columns);
        RequireShape(valueCache, capacity * heads.Batch, k.Columns);
        for (int sequence = 0; sequence < heads.Batch; sequence++)
        {
            int row = sequence * capacity + Step.Position;
            Copy(k.Slice(sequence * heads.Sequence, heads.Sequence), keyCache.Slice(row, heads.Sequence));
            Copy(v.Slice(sequence * heads.Sequence, heads.Sequence), valueCache.Slice(row, heads.Sequence));
        }

        heads.KeyRows = capacity;
        heads.Position = Step.Position;
        Attend(heads, q, keyCache, valueCache, o, Tensor.None);
    }
}
