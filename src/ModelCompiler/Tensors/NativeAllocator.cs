using System.Runtime.InteropServices;

namespace ModelCompiler.Tensors;

/// <summary>The one place that takes native memory, and counts it: what a plan predicts is compared with these figures.</summary>
public static unsafe class NativeAllocator
{
    private static readonly Lock Gate = new();
    private static long inUse;
    private static long peak;

    /// <summary>Bytes handed out and not given back, over the whole process.</summary>
    public static long BytesInUse
    {
        get
        {
            lock (Gate)
            {
                return inUse;
            }
        }
    }

    /// <summary>The highest <see cref="BytesInUse"/> since the start or the last <see cref="ResetPeak"/>.</summary>
    public static long PeakBytes
    {
        get
        {
            lock (Gate)
            {
                return peak;
            }
        }
    }

    /// <summary>Starts a new measurement: the peak becomes what is in use now.</summary>
    public static void ResetPeak()
    {
        lock (Gate)
        {
            peak = inUse;
        }
    }

    /// <summary>Takes memory and writes zeros over all of it, so that the system has really given every page.</summary>
    /// <exception cref="OutOfMemoryException">The machine cannot give that much.</exception>
    internal static byte* Allocate(long bytes, int alignment)
    {
        byte* address;
        try
        {
            address = (byte*)NativeMemory.AlignedAlloc((nuint)Math.Max(bytes, 1), (nuint)alignment);
        }
        catch (OutOfMemoryException e)
        {
            throw new OutOfMemoryException($"The system refused {bytes:N0} bytes of native memory. Lower the batch, the sequence or the rank, or free memory.", e);
        }

        NativeMemory.Clear(address, (nuint)bytes);
        lock (Gate)
        {
            inUse += bytes;
            peak = Math.Max(peak, inUse);
        }

        return address;
    }

    /// <summary>Gives back what <see cref="Allocate"/> returned.</summary>
    internal static void Free(byte* address, long bytes)
    {
        NativeMemory.AlignedFree(address);
        lock (Gate)
        {
            inUse -= bytes;
        }
    }
}
