using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace ModelCompiler.Backends.Cpu.Vectors;

/// <summary>4 floats.</summary>
[method: MethodImpl(MethodImplOptions.AggressiveInlining)]
internal readonly unsafe struct Lanes128(Vector128<float> value) : ILanes<Lanes128>
{
    public const int Count = 4;

    private readonly Vector128<float> value = value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 operator +(Lanes128 a, Lanes128 b) => new(a.value + b.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 operator -(Lanes128 a, Lanes128 b) => new(a.value - b.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 operator *(Lanes128 a, Lanes128 b) => new(a.value * b.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 operator /(Lanes128 a, Lanes128 b) => new(a.value / b.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 operator &(Lanes128 a, Lanes128 b) => new(a.value & b.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 Of(float value) => new(Vector128.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 Load(float* address) => new(Vector128.Load(address));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 Load(ushort* address) =>
        new(Vector128.ShiftLeft(Vector128.WidenLower(Vector64.Load(address).ToVector128Unsafe()), 16).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 MultiplyAdd(Lanes128 a, Lanes128 b, Lanes128 c) => new(Vector128.MultiplyAddEstimate(a.value, b.value, c.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 Max(Lanes128 a, Lanes128 b) => new(Vector128.MaxNative(a.value, b.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 Sqrt(Lanes128 x) => new(Vector128.Sqrt(x.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 Abs(Lanes128 x) => new(Vector128.Abs(x.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 Exp(Lanes128 x) => new(VectorMath.Exp(x.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 CopySign(Lanes128 magnitude, Lanes128 sign) =>
        new(Vector128.ConditionalSelect(Vector128.Create(-0f), sign.value, magnitude.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 WhereLess(Lanes128 a, Lanes128 b, Lanes128 then, Lanes128 defaultValue) =>
        new(Vector128.ConditionalSelect(Vector128.LessThan(a.value, b.value), then.value, defaultValue.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 Kept(ulong rowKey, int column, uint threshold)
    {
        Vector128<uint> h = Vector128<uint>.Indices + Vector128.Create((uint)column + (uint)rowKey);
        h = (h ^ (h >>> 16)) * DropoutMask.FirstMultiplier;
        h ^= Vector128.Create((uint)(rowKey >> 32));
        h = (h ^ (h >>> 15)) * DropoutMask.SecondMultiplier;
        h ^= h >>> 16;
        return new(Vector128.GreaterThanOrEqual(h, Vector128.Create(threshold)).AsSingle());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(float* address) => value.Store(address);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(ushort* address)
    {
        Vector128<uint> bits = value.AsUInt32();
        Vector128<uint> nearest = bits + Vector128.Create(0x7FFFu) + ((bits >>> 16) & Vector128<uint>.One);
        Vector128<uint> rounded = Vector128.ConditionalSelect(Vector128.Equals(value, value).AsUInt32(), nearest, bits | Vector128.Create(0x40_0000u)) >>> 16;
        Vector128.Narrow(rounded, rounded).GetLower().Store(address);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public float Sum() => Vector128.Sum(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public float Max() => Math.Max(Math.Max(value[0], value[1]), Math.Max(value[2], value[3]));
}
