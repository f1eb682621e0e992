namespace ModelCompiler.Cuda.Driver;

/// <summary>One block of a device's memory.</summary>
public sealed class DeviceMemory : CudaResource
{
    private DeviceMemory(CudaContext context, nint address, long bytes)
        : base(context, address) => Bytes = bytes;

    /// <summary>Size in bytes.</summary>
    public long Bytes { get; }

    /// <summary>Takes memory, aligned to 256 bytes, its content undefined.</summary>
    /// <param name="context">Context of the device.</param>
    /// <param name="bytes">Size, at least 1.</param>
    /// <exception cref="CudaException">The device does not have that much free: CUDA_ERROR_OUT_OF_MEMORY.</exception>
    public static DeviceMemory Allocate(CudaContext context, long bytes)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(bytes);
        context.MakeCurrent();
        context.Driver.Check(context.Driver.MemoryAllocate(out nint address, bytes), "cuMemAlloc");
        return new DeviceMemory(context, address, bytes);
    }

    /// <summary>The device address of a range of bytes.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The range reaches outside the block.</exception>
    /// <exception cref="ObjectDisposedException">The memory was disposed.</exception>
    public nint Address(long offset = 0, long bytes = 0)
    {
        ObjectDisposedException.ThrowIf(IsClosed, this);
        BlockRange.Require(offset, bytes, Bytes);
        return handle + (nint)offset;
    }

    private protected override int Free() => Driver.MemoryFree(handle);
}

/// <summary>The check that a range lies within a block.</summary>
internal static class BlockRange
{
    public static void Require(long offset, long bytes, long size)
    {
        if (offset < 0 || bytes < 0 || offset > size - bytes)
        {
            throw new ArgumentOutOfRangeException(nameof(offset), $"{bytes} bytes from {offset} on are not within a block of {size}.");
        }
    }
}
