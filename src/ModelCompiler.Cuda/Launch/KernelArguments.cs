using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace ModelCompiler.Cuda.Launch;

/// <summary>
/// A kernel's arguments as its parameter space has them: one after the other, each at the next multiple of its own alignment. One instance
/// serves launch after launch and allocates nothing.
/// </summary>
public sealed class KernelArguments
{
    /// <summary>Bytes of parameters that every device and compiler takes.</summary>
    public const int MaximumBytes = 4096;

    private readonly byte[] _buffer = new byte[MaximumBytes];
    private int _length;

    /// <summary>The bytes so far.</summary>
    public ReadOnlySpan<byte> Bytes => _buffer.AsSpan(0, _length);

    /// <summary>Starts again.</summary>
    public KernelArguments Clear()
    {
        // Gaps between arguments are zero, so that equal arguments are equal bytes.
        _buffer.AsSpan(0, _length).Clear();
        _length = 0;
        return this;
    }

    /// <summary>Appends an argument: a number, a device address, or a struct of these whose fields lie as in C.</summary>
    /// <exception cref="InvalidOperationException">There is no room for it.</exception>
    public KernelArguments Add<T>(T value)
        where T : unmanaged
    {
        int alignment = Unsafe.SizeOf<Aligned<T>>() - Unsafe.SizeOf<T>();
        int start = (_length + alignment - 1) / alignment * alignment;
        int end = start + Unsafe.SizeOf<T>();
        if (end > MaximumBytes)
        {
            throw new InvalidOperationException($"The arguments take {end} bytes; a kernel takes at most {MaximumBytes}.");
        }

        MemoryMarshal.Write(_buffer.AsSpan(start), in value);
        _length = end;
        return this;
    }

    /// <summary>A byte and then the value: the distance between them is the value's alignment.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private readonly struct Aligned<T>
        where T : unmanaged
    {
#pragma warning disable CS0169 // Only the size of the whole is read.
        private readonly byte first;
        private readonly T value;
#pragma warning restore CS0169
    }
}
