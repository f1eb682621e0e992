using ModelCompiler.Cuda.Driver;

namespace ModelCompiler.Cuda.Memory;

/// <summary>
/// A ring of pinned memory through which host values reach the device without making the caller wait: what is written is copied into the
/// ring at once and from there by the stream. Only when the ring begins again does the caller wait for what the stream has not copied.
/// </summary>
internal sealed class HostStaging(CudaContext context, CudaStream stream) : IDisposable
{
    private const int Size = 8 << 20;

    private readonly PinnedMemory _ring = PinnedMemory.Allocate(context, Size);
    private int _next;

    /// <summary>Copies bytes to device memory, in the stream's order.</summary>
    public void Write(ReadOnlySpan<byte> bytes, DeviceMemory destination, long offset)
    {
        while (bytes.Length > 0)
        {
            if (_next == Size)
            {
                stream.Synchronize();
                _next = 0;
            }

            int count = Math.Min(bytes.Length, Size - _next);
            bytes[..count].CopyTo(_ring.Span(_next, count));
            stream.CopyToDevice(_ring, _next, destination, offset, count);
            _next = Math.Min(Size, (_next + count + 15) / 16 * 16);
            bytes = bytes[count..];
            offset += count;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _ring.Dispose();
}
