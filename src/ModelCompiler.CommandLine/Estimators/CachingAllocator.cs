namespace ModelCompiler.CommandLine.Estimators;

/// <summary>
/// A model of PyTorch's CUDA caching allocator (release 2.3, default settings, one stream): sizes in multiples of 512 bytes; small ones, up to 1 MiB,
/// from segments of 2 MiB; larger ones from segments of 20 MiB, or of their own size in multiples of 2 MiB from 10 MiB on; the smallest free block
/// that is large enough, split where what remains can be used; free neighbors merge. Segments are never given back.
/// </summary>
public sealed class CachingAllocator
{
    private const long Granule = 512;
    private const long LargestSmall = 1 << 20;
    private const long SmallSegment = 2 << 20;
    private const long SharedSegment = 20 << 20;
    private const long SmallestOwnSegment = 10 << 20;
    private const long OwnSegmentGranule = 2 << 20;

    private readonly SortedSet<Block> _small = new(BySize.Instance);
    private readonly SortedSet<Block> _large = new(BySize.Instance);
    private long _nextAddress;

    /// <summary>Bytes of the blocks in use: what <c>torch.cuda.memory_allocated</c> reports.</summary>
    public long Allocated { get; private set; }

    /// <summary>Bytes of all segments: <c>torch.cuda.memory_reserved</c>. Its peak too, as segments stay.</summary>
    public long Reserved { get; private set; }

    /// <summary>The largest <see cref="Allocated"/> so far: <c>torch.cuda.max_memory_allocated</c>.</summary>
    public long PeakAllocated { get; private set; }

    /// <summary>Takes a block of at least so many bytes.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The size is not positive.</exception>
    public Block Allocate(long bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(bytes);
        long size = RoundUp(bytes, Granule);
        bool small = size <= LargestSmall;
        SortedSet<Block> free = small ? _small : _large;
        Block block = free.GetViewBetween(new Block(size, -1, small), Block.Largest).Min ?? NewSegment(size, small);
        free.Remove(block);
        long rest = block.Size - size;
        if (small ? rest >= Granule : rest > LargestSmall)
        {
            free.Add(block.SplitAt(size));
        }

        block.Free = false;
        Allocated += block.Size;
        PeakAllocated = Math.Max(PeakAllocated, Allocated);
        return block;
    }

    /// <summary>Gives a block back.</summary>
    /// <exception cref="InvalidOperationException">It is free already.</exception>
    public void Free(Block block)
    {
        if (block.Free)
        {
            throw new InvalidOperationException($"the block at {block.Address} is free already");
        }

        Allocated -= block.Size;
        block.Free = true;
        SortedSet<Block> free = block.Small ? _small : _large;
        if (block.Next is { Free: true } next)
        {
            free.Remove(next);
            block.Absorb(next);
        }

        if (block.Previous is { Free: true } previous)
        {
            free.Remove(previous);
            previous.Absorb(block);
            block = previous;
        }

        free.Add(block);
    }

    private Block NewSegment(long size, bool small)
    {
        long segment = small ? SmallSegment : size < SmallestOwnSegment ? SharedSegment : RoundUp(size, OwnSegmentGranule);
        var block = new Block(segment, _nextAddress, small);
        _nextAddress += segment;
        Reserved += segment;
        return block;
    }

    private static long RoundUp(long bytes, long multiple) => (bytes + multiple - 1) / multiple * multiple;

    /// <summary>A part of a segment.</summary>
    public sealed class Block
    {
        internal static readonly Block Largest = new(long.MaxValue, long.MaxValue, small: false);

        internal Block(long size, long address, bool small)
        {
            Size = size;
            Address = address;
            Small = small;
        }

        /// <summary>Its bytes: what was asked for, rounded, and what was not worth splitting off.</summary>
        public long Size { get; private set; }

        internal long Address { get; }

        internal bool Small { get; }

        internal bool Free { get; set; } = true;

        internal Block? Previous { get; private set; }

        internal Block? Next { get; private set; }

        /// <summary>Cuts off what lies behind so many bytes.</summary>
        internal Block SplitAt(long size)
        {
            var rest = new Block(Size - size, Address + size, Small) { Previous = this, Next = Next };
            if (Next is not null)
            {
                Next.Previous = rest;
            }

            Next = rest;
            Size = size;
            return rest;
        }

        /// <summary>Takes over the block behind it.</summary>
        internal void Absorb(Block next)
        {
            Size += next.Size;
            Next = next.Next;
            if (Next is not null)
            {
                Next.Previous = this;
            }
        }
    }

    private sealed class BySize : IComparer<Block>
    {
        public static readonly BySize Instance = new();

        public int Compare(Block? x, Block? y) => x!.Size != y!.Size ? x.Size.CompareTo(y.Size) : x.Address.CompareTo(y.Address);
    }
}
