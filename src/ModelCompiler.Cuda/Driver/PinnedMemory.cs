namespace ModelCompiler.Cuda.Driver;

/// <summary>Host memory that the device copies from and to by itself, beside kernels: pages that the system does not move.</summary>
public sealed unsafe class PinnedMemory : CudaResource
{
    private PinnedMemory(CudaContext context, nint address, long bytes)
        : base(context, address) => Bytes = bytes;

    /// <summary>Size in bytes.</summary>
    public long Bytes { get; }

    /// <summary>Takes memory, its content undefined.</summary>
    /// <param name="context">Context of the device.</param>
    /// <param name="bytes">Size, at least 1.</param>
    /// <exception cref="CudaException">The system does not pin that much.</exception>
    public static PinnedMemory Allocate(CudaContext context, long bytes)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(bytes);
        context.MakeCurrent();
        context.Driver.Check(context.Driver.MemoryHostAllocate(out nint address, bytes), "cuMemHostAlloc");
        return new PinnedMemory(context, address, bytes);
    }

    /// <summary>A range as the host sees it. Copies under way read and write it too.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The range reaches outside the block.</exception>
    /// <exception cref="ObjectDisposedException">The memory was disposed.</exception>
    public Span<byte> Span(long offset, int bytes) => new((void*)Address(offset, bytes), bytes);

    internal nint Address(long offset, long bytes)
    {
        ObjectDisposedException.ThrowIf(IsClosed, this);
        BlockRange.Require(offset, bytes, Bytes);
        return handle + (nint)offset;
    }

    private protected override int Free() => Driver.MemoryFreeHost(handle);
}
