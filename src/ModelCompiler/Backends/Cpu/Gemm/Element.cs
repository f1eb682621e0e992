using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace ModelCompiler.Backends.Cpu.Gemm;

/// <summary>How the elements of a weight become Float32 while they are packed.</summary>
internal unsafe interface IElement
{
    /// <summary>Bytes of one element.</summary>
    static abstract int Size { get; }

    /// <summary>One element.</summary>
    static abstract float Read(byte* source);

    /// <summary>Eight elements.</summary>
    static abstract Vector256<float> Read8(byte* source);

    /// <summary>Sixteen elements.</summary>
    static abstract Vector512<float> Read16(byte* source);

    /// <summary>The first <paramref name="count"/> (1 to 16) of sixteen elements, then zeros; nothing behind them is touched.</summary>
    static abstract Vector512<float> ReadFirst(byte* source, int count);
}

/// <summary>Float32: as it is.</summary>
internal readonly unsafe struct Float32Element : IElement
{
    public static int Size => 4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Read(byte* source) => *(float*)source;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Read8(byte* source) => Vector256.Load((float*)source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Read16(byte* source) => Vector512.Load((float*)source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> ReadFirst(byte* source, int count)
    {
        if (Avx512F.IsSupported)
        {
            Vector512<float> mask = Vector512.LessThan(Vector512<int>.Indices, Vector512.Create(count)).AsSingle();
            return Avx512F.MaskLoad((float*)source, mask, Vector512<float>.Zero);
        }

        float* values = stackalloc float[16];
        for (int i = 0; i < 16; i++)
        {
            values[i] = i < count ? ((float*)source)[i] : 0;
        }

        return Vector512.Load(values);
    }
}

/// <summary>bfloat16: the upper half of a Float32.</summary>
internal readonly unsafe struct BFloat16Element : IElement
{
    public static int Size => 2;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Read(byte* source) => BitConverter.UInt32BitsToSingle((uint)*(ushort*)source << 16);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Read8(byte* source) =>
        Vector256.ShiftLeft(Vector256.WidenLower(Vector128.Load((ushort*)source).ToVector256Unsafe()), 16).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Read16(byte* source)
    {
        Vector256<ushort> bits = Vector256.Load((ushort*)source);
        Vector512<uint> wide = Avx512F.IsSupported ? Avx512F.ConvertToVector512UInt32(bits) : Widen(bits);
        return Vector512.ShiftLeft(wide, 16).AsSingle();
    }

    public static Vector512<float> ReadFirst(byte* source, int count)
    {
        float* values = stackalloc float[16];
        for (int i = 0; i < 16; i++)
        {
            values[i] = i < count ? Read(source + i * Size) : 0;
        }

        return Vector512.Load(values);
    }

    private static Vector512<uint> Widen(Vector256<ushort> bits)
    {
        (Vector256<uint> lower, Vector256<uint> upper) = Vector256.Widen(bits);
        return Vector512.Create(lower, upper);
    }
}
