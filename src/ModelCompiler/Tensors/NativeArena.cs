using System.Runtime.InteropServices;

namespace ModelCompiler.Tensors;

/// <summary>One zeroed block of native memory that holds everything a plan places. Freed by <see cref="Dispose"/> or the finaliser.</summary>
public sealed unsafe class NativeArena : IDisposable
{
    private readonly NativeMemoryScope? _scope = NativeMemoryScope.Current;
    private byte* address;

    /// <summary>Takes the memory and writes zeros over all of it, so that the system has really given every page.</summary>
    /// <param name="bytes">Size; 0 is allowed.</param>
    /// <param name="alignment">Alignment of the first byte, a power of two.</param>
    /// <exception cref="OutOfMemoryException">The machine cannot give that much.</exception>
    public NativeArena(long bytes, int alignment)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        try
        {
            address = (byte*)NativeMemory.AlignedAlloc((nuint)Math.Max(bytes, 1), (nuint)alignment);
        }
        catch (OutOfMemoryException e)
        {
            throw new OutOfMemoryException($"The system refused {bytes:N0} bytes of native memory. Lower the batch, the sequence or the rank, or free memory.", e);
        }

        NativeMemory.Clear(address, (nuint)bytes);
        Bytes = bytes;
        _scope?.Add(bytes);
    }

    /// <summary>Frees memory of an arena nobody disposed.</summary>
    ~NativeArena() => Release();

    /// <summary>Size in bytes.</summary>
    public long Bytes { get; }

    /// <summary>The first byte.</summary>
    /// <exception cref="ObjectDisposedException">The arena was disposed.</exception>
    public byte* Address
    {
        get
        {
            ObjectDisposedException.ThrowIf(address == null, this);
            return address;
        }
    }

    /// <summary>The first byte of a tensor; null for <see cref="Tensor.None"/>.</summary>
    /// <exception cref="ArgumentException">The tensor reaches outside the arena.</exception>
    public byte* At(Tensor tensor)
    {
        if (tensor.IsNone)
        {
            return null;
        }

        if (!tensor.Fits(Bytes))
        {
            throw new ArgumentException($"{tensor} reaches outside the arena of {Bytes} bytes.");
        }

        return Address + tensor.Offset;
    }

    /// <summary>Gives the memory back.</summary>
    public void Dispose()
    {
        Release();
        GC.SuppressFinalize(this);
    }

    private void Release()
    {
        if (address != null)
        {
            NativeMemory.AlignedFree(address);
            address = null;
            _scope?.Add(-Bytes);
        }
    }
}
