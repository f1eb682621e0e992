using ModelCompiler.Cuda.Compilation;
using ModelCompiler.Planning;
using ModelCompiler.Tensors;

namespace ModelCompiler.Cuda;

/// <content>Attention. Its kernels are compiled for the width of the heads.</content>
public sealed unsafe partial class CudaBackend
{
    /// <summary>Keys of a cache below which another block that reads some of them costs more than it brings.</summary>
    private const int LeastKeys = 64;

    /// <summary>Blocks of 256 threads that a multiprocessor runs at once, as many as registers allow.</summary>
    private const int BlocksOfMultiprocessor = 2;

    /// <inheritdoc/>
    public void Attention(Tensor q, Tensor k, Tensor v, Tensor o, Tensor logSumExp, int heads, int keyValueHeads)
    {
        var shape = new HeadShape(q, heads, keyValueHeads, _step.Sequence);
        shape.Require(k, q.Rows);
        shape.Require(v, q.Rows);
        AttentionTiles tiles = AttentionTiles.Forward(q.Type, shape.Width);
        Launch(
            "attention", shape, heads, tiles.Count(_step.Sequence), tiles.Threads,
            Pack(q, k, v, o, logSumExp).Add(Constant(StepAt)).Add(heads).Add(keyValueHeads));
    }

    /// <inheritdoc/>
    public void AttentionGradient(
        Tensor dO, Tensor q, Tensor k, Tensor v, Tensor o, Tensor logSumExp, Tensor dq, Tensor dk, Tensor dv, int heads, int keyValueHeads)
    {
        var shape = new HeadShape(q, heads, keyValueHeads, _step.Sequence);
        shape.Require(k, q.Rows);
        shape.Require(v, q.Rows);
        AttentionTiles tiles = AttentionTiles.Gradient(q.Type, shape.Width);

        // Σ dO · o of each token and head, which the plan counts in OperandScratch.
        Tensor delta = Scratch(0, q.Rows, heads, DType.Float32);
        Launch("attention_gradient_delta", shape, q.Rows / shape.Batch, 1, _threads, Pack(dO, o, delta).Add(heads));
        if (!dq.IsNone)
        {
            Launch(
                "attention_gradient_query", shape, heads, tiles.Count(_step.Sequence), tiles.Threads,
                Pack(dO, q, k, v, logSumExp, delta, dq).Add(Constant(StepAt)).Add(heads).Add(keyValueHeads));
        }

        if (!dk.IsNone || !dv.IsNone)
        {
            Launch(
                "attention_gradient_key_value", shape, keyValueHeads, tiles.Count(_step.Sequence), tiles.Threads,
                Pack(dO, q, k, v, logSumExp, delta, dk, dv).Add(Constant(StepAt)).Add(heads).Add(keyValueHeads));
        }
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">The caches are too short for the step's last position.</exception>
    public void CachedAttention(Tensor q, Tensor k, Tensor v, Tensor keyCache, Tensor valueCache, Tensor o, int heads, int keyValueHeads)
    {
        var shape = new HeadShape(q, heads, keyValueHeads, _step.Sequence);
        shape.Require(k, q.Rows);
        shape.Require(v, q.Rows);
        int capacity = keyCache.Rows / shape.Batch;
        shape.Require(keyCache, shape.Batch * capacity);
        shape.Require(valueCache, shape.Batch * capacity);
        if (_step.Position + _step.Sequence > capacity)
        {
            throw new ArgumentException(
                $"Position {_step.Position + _step.Sequence - 1} is outside a cache of {capacity} positions per sequence.", nameof(keyCache));
        }

        Launch(
            "cached_attention_append", shape, _step.Sequence, 1, _threads,
            Pack(k, v, keyCache, valueCache).Add(Constant(StepAt)).Add(k.Columns).Add(capacity));
        if (o.IsNone)
        {
            return;
        }

        if (_step.Sequence == 1)
        {
            CachedAttentionOfRow(shape, q, keyCache, valueCache, o, heads, keyValueHeads, capacity);
            return;
        }

        AttentionTiles tiles = AttentionTiles.Forward(q.Type, shape.Width);
        Launch(
            "cached_attention", shape, heads, tiles.Count(_step.Sequence), tiles.Threads,
            Pack(q, keyCache, valueCache, o).Add(Constant(StepAt)).Add(heads).Add(keyValueHeads).Add(capacity));
    }

    /// <summary>
    /// One new row of each sequence. Where the heads are too few to keep the device busy, several blocks share the keys of one; how many depends on the
    /// room of the cache and not on what it holds, so that every token starts the same blocks. Their parts lie where a product would work.
    /// </summary>
    private void CachedAttentionOfRow(
        in HeadShape shape, Tensor q, Tensor keyCache, Tensor valueCache, Tensor o, int heads, int keyValueHeads, int capacity)
    {
        int partBytes = (shape.Width + 2) * sizeof(float);
        int busy = BlocksOfMultiprocessor * Device.Multiprocessors / Math.Max(shape.Batch * heads, 1);
        int room = (int)Math.Min(BackendProfile.CudaProducts / partBytes / Math.Max(shape.Batch * heads, 1), MaximumGridY);
        int parts = Math.Max(Math.Min(Math.Min(busy, room), capacity / LeastKeys), 1);
        nint partsAt = Constant(BackendProfile.CudaConstants);
        Launch(
            "cached_attention_row", shape, heads, parts, _threads,
            Pack(q, keyCache, valueCache, o).Add(partsAt).Add(Constant(StepAt)).Add(heads).Add(keyValueHeads).Add(capacity));
        if (parts > 1)
        {
            int threads = Math.Min((shape.Width + WarpSize - 1) / WarpSize * WarpSize, _threads);
            Launch("cached_attention_join", shape, heads, 1, threads, PackAddresses().Add(partsAt).Add(Address(o)).Add((long)o.Stride).Add(parts).Add(heads));
        }
    }

    /// <summary>So many blocks along x for each sequence.</summary>
    private void Launch(string kernel, in HeadShape shape, int blocksOfSequence, int gridY, int threads, KernelArguments packed)
    {
        if (shape.Batch > 0)
        {
            var types = new KernelTypes(shape.Type, shape.Type, shape.Width);
            _queue.Launch(_kernels.Function(kernel, types), new LaunchGeometry(shape.Batch * blocksOfSequence, gridY, BlockX: threads), packed.Bytes);
        }
    }

    /// <summary>The heads of an attention.</summary>
    private readonly record struct HeadShape
    {
        private readonly int _keyColumns;

        public HeadShape(Tensor q, int heads, int keyValueHeads, int sequence)
        {
            if (heads <= 0 || keyValueHeads <= 0 || heads % keyValueHeads != 0 || q.Columns % heads != 0)
            {
                throw new ArgumentException($"{q} does not divide into {heads} heads over {keyValueHeads} key heads.");
            }

            if (q.Rows % sequence != 0)
            {
                throw new ArgumentException($"{q} does not divide into sequences of {sequence} rows.");
            }

            (Type, Width, Batch, _keyColumns) = (q.Type, q.Columns / heads, q.Rows / sequence, q.Columns / heads * keyValueHeads);
            if (Width > AttentionTiles.MaximumWidth)
            {
                throw new NotSupportedException($"Attention on a GPU has heads of at most {AttentionTiles.MaximumWidth} columns, not {Width}.");
            }
        }

        public DType Type { get; }

        public int Width { get; }

        public int Batch { get; }

        /// <summary>Keys or values: as many rows and the columns of the key heads, of the queries' type.</summary>
        public void Require(Tensor keys, int rows)
        {
            if (keys.Rows != rows || keys.Columns != _keyColumns || keys.Type != Type)
            {
                throw new ArgumentException($"{keys} is not [{rows}, {_keyColumns}] of {Type}.");
            }
        }
    }
}
