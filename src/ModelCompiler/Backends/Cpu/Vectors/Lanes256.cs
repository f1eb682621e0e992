using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace ModelCompiler.Backends.Cpu.Vectors;

/// <summary>8 floats.</summary>
[method: MethodImpl(MethodImplOptions.AggressiveInlining)]
internal readonly unsafe struct Lanes256(Vector256<float> value) : ILanes<Lanes256>
{
    public const int Count = 8;

    private readonly Vector256<float> value = value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 operator +(Lanes256 a, Lanes256 b) => new(a.value + b.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 operator -(Lanes256 a, Lanes256 b) => new(a.value - b.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 operator *(Lanes256 a, Lanes256 b) => new(a.value * b.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 operator /(Lanes256 a, Lanes256 b) => new(a.value / b.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 operator &(Lanes256 a, Lanes256 b) => new(a.value & b.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 Of(float value) => new(Vector256.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 Load(float* address) => new(Vector256.Load(address));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 Load(ushort* address) =>
        new(Vector256.ShiftLeft(Vector256.WidenLower(Vector128.Load(address).ToVector256Unsafe()), 16).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 MultiplyAdd(Lanes256 a, Lanes256 b, Lanes256 c) => new(Vector256.MultiplyAddEstimate(a.value, b.value, c.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 Max(Lanes256 a, Lanes256 b) => new(Vector256.MaxNative(a.value, b.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 Sqrt(Lanes256 x) => new(Vector256.Sqrt(x.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 Abs(Lanes256 x) => new(Vector256.Abs(x.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 Exp(Lanes256 x) => new(VectorMath.Exp(x.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 CopySign(Lanes256 magnitude, Lanes256 sign) =>
        new(Vector256.ConditionalSelect(Vector256.Create(-0f), sign.value, magnitude.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 WhereLess(Lanes256 a, Lanes256 b, Lanes256 then, Lanes256 defaultValue) =>
        new(Vector256.ConditionalSelect(Vector256.LessThan(a.value, b.value), then.value, defaultValue.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 Kept(ulong rowKey, int column, uint threshold)
    {
        Vector256<uint> h = Vector256<uint>.Indices + Vector256.Create((uint)column + (uint)rowKey);
        h = (h ^ (h >>> 16)) * DropoutMask.FirstMultiplier;
        h ^= Vector256.Create((uint)(rowKey >> 32));
        h = (h ^ (h >>> 15)) * DropoutMask.SecondMultiplier;
        h ^= h >>> 16;
        return new(Vector256.GreaterThanOrEqual(h, Vector256.Create(threshold)).AsSingle());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(float* address) => value.Store(address);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(ushort* address)
    {
        Vector256<uint> bits = value.AsUInt32();
        Vector256<uint> nearest = bits + Vector256.Create(0x7FFFu) + ((bits >>> 16) & Vector256<uint>.One);
        Vector256<uint> rounded = Vector256.ConditionalSelect(Vector256.Equals(value, value).AsUInt32(), nearest, bits | Vector256.Create(0x40_0000u)) >>> 16;
        Vector256.Narrow(rounded, rounded).GetLower().Store(address);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public float Sum() => Vector128.Sum(value.GetLower() + value.GetUpper());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public float Max() => Math.Max(new Lanes128(value.GetLower()).Max(), new Lanes128(value.GetUpper()).Max());
}
