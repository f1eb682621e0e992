using ModelCompiler.Cuda.Compilation;
using ModelCompiler.Cuda.Launch;
using ModelCompiler.Cuda.Native;
using ModelCompiler.Operations;
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
    public void Attention(Tensor q, Tensor k, Tensor v, Tensor o, Tensor logSumExp, AttentionShape shape)
    {
        var heads = new HeadLayout(q, shape, _step.Sequence);
        heads.Require(k, q.Rows);
        heads.Require(v, q.Rows);
        AttentionTiles tiles = AttentionTiles.Forward(q.Type, heads.Width);
        Launch(
            "attention", heads, shape.Heads, tiles.Count(_step.Sequence), tiles.Threads,
            Pack(q, k, v, o, logSumExp).Add(Constant(StepAt)).Add(shape.Heads).Add(shape.KeyValueHeads));
    }

    /// <inheritdoc/>
    public void AttentionGradient(
        Tensor dO, Tensor q, Tensor k, Tensor v, Tensor o, Tensor logSumExp, Tensor dq, Tensor dk, Tensor dv, AttentionShape shape)
    {
        var heads = new HeadLayout(q, shape, _step.Sequence);
        heads.Require(k, q.Rows);
        heads.Require(v, q.Rows);
        AttentionTiles tiles = AttentionTiles.Gradient(q.Type, heads.Width);

        // Σ dO · o of each token and head, which the plan counts in OperandScratch.
        Tensor delta = Scratch(0, q.Rows, shape.Heads, DType.Float32);
        Launch("attention_gradient_delta", heads, q.Rows / heads.Batch, 1, _threads, Pack(dO, o, delta).Add(shape.Heads));
        if (!dq.IsNone)
        {
            Launch(
                "attention_gradient_query", heads, shape.Heads, tiles.Count(_step.Sequence), tiles.Threads,
                Pack(dO, q, k, v, logSumExp, delta, dq).Add(Constant(StepAt)).Add(shape.Heads).Add(shape.KeyValueHeads));
        }

        if (!dk.IsNone || !dv.IsNone)
        {
            Launch(
                "attention_gradient_key_value", heads, shape.KeyValueHeads, tiles.Count(_step.Sequence), tiles.Threads,
                Pack(dO, q, k, v, logSumExp, delta, dk, dv).Add(Constant(StepAt)).Add(shape.Heads).Add(shape.KeyValueHeads));
        }
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">The caches are too short for the step's last position.</exception>
    public void CachedAttention(Tensor q, Tensor k, Tensor v, Tensor keyCache, Tensor valueCache, Tensor o, AttentionShape shape)
    {
        var heads = new HeadLayout(q, shape, _step.Sequence);
        heads.Require(k, q.Rows);
        heads.Require(v, q.Rows);
        int capacity = keyCache.Rows / heads.Batch;
        heads.Require(keyCache, heads.Batch * capacity);
        heads.Require(valueCache, heads.Batch * capacity);
        if (_step.Position + _step.Sequence > capacity)
        {
            throw new ArgumentException(
                $"Position {_step.Position + _step.Sequence - 1} is outside a cache of {capacity} positions per sequence.", nameof(keyCache));
        }

        Launch(
            "cached_attention_append", heads, _step.Sequence, 1, _threads,
            Pack(k, v, keyCache, valueCache).Add(Constant(StepAt)).Add(k.Columns).Add(capacity));
        if (o.IsNone)
        {
            return;
        }

        if (_step.Sequence == 1)
        {
            CachedAttentionOfRow(heads, q, keyCache, valueCache, o, shape, capacity);
            return;
        }

        AttentionTiles tiles = AttentionTiles.Forward(q.Type, heads.Width);
        Launch(
            "cached_attention", heads, shape.Heads, tiles.Count(_step.Sequence), tiles.Threads,
            Pack(q, keyCache, valueCache, o).Add(Constant(StepAt)).Add(shape.Heads).Add(shape.KeyValueHeads).Add(capacity));
    }

    /// <summary>
    /// One new row of each sequence. Where the heads are too few to keep the device busy, several blocks share the keys of one; how many depends on the
    /// room of the cache and not on what it holds, so that every token starts the same blocks. Their parts lie where a product would work.
    /// </summary>
    private void CachedAttentionOfRow(
        in HeadLayout heads, Tensor q, Tensor keyCache, Tensor valueCache, Tensor o, AttentionShape shape, int capacity)
    {
        int partBytes = (heads.Width + 2) * sizeof(float);
        int busy = BlocksOfMultiprocessor * Device.Multiprocessors / Math.Max(heads.Batch * shape.Heads, 1);
        int room = (int)Math.Min(BackendProfile.CudaProducts / partBytes / Math.Max(heads.Batch * shape.Heads, 1), MaximumGridY);
        int parts = Math.Max(Math.Min(Math.Min(busy, room), capacity / LeastKeys), 1);
        nint partsAt = Constant(BackendProfile.CudaConstants);
        Launch(
            "cached_attention_row", heads, shape.Heads, parts, _threads,
            Pack(q, keyCache, valueCache, o).Add(partsAt).Add(Constant(StepAt)).Add(shape.Heads).Add(shape.KeyValueHeads).Add(capacity));
        if (parts > 1)
        {
            int threads = Math.Min((heads.Width + WarpSize - 1) / WarpSize * WarpSize, _threads);
            Launch("cached_attention_join", heads, shape.Heads, 1, threads, PackAddresses().Add(partsAt).Add(Address(o)).Add((long)o.Stride).Add(parts).Add(shape.Heads));
        }
    }

    /// <summary>So many blocks along x for each sequence.</summary>
    private void Launch(string kernel, in HeadLayout heads, int blocksOfSequence, int gridY, int threads, KernelArguments packed)
    {
        if (heads.Batch > 0)
        {
            var types = new KernelTypes(heads.Type, heads.Type, heads.Width);
            _queue.Launch(_kernels.Function(kernel, types), new LaunchGeometry(heads.Batch * blocksOfSequence, gridY, BlockX: threads), packed.Bytes);
        }
    }

    /// <summary>Where the heads of an attention lie.</summary>
    private readonly record struct HeadLayout
    {
        private readonly int _keyColumns;

        public HeadLayout(Tensor q, AttentionShape shape, int sequence)
        {
            shape.Check(q.Columns);
            if (q.Rows % sequence != 0)
            {
                throw new ArgumentException($"{q} does not divide into sequences of {sequence} rows.");
            }

            (Type, Width, Batch, _keyColumns) = (q.Type, shape.HeadWidth, q.Rows / sequence, shape.KeyValueWidth);
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
