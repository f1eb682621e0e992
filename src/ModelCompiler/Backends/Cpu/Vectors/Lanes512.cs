using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace ModelCompiler.Backends.Cpu.Vectors;

/// <summary>16 floats.</summary>
[method: MethodImpl(MethodImplOptions.AggressiveInlining)]
internal readonly unsafe struct Lanes512(Vector512<float> value) : ILanes<Lanes512>
{
    public const int Count = 16;

    private readonly Vector512<float> value = value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 operator +(Lanes512 a, Lanes512 b) => new(a.value + b.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 operator -(Lanes512 a, Lanes512 b) => new(a.value - b.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 operator *(Lanes512 a, Lanes512 b) => new(a.value * b.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 operator /(Lanes512 a, Lanes512 b) => new(a.value / b.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 operator &(Lanes512 a, Lanes512 b) => new(a.value & b.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 Of(float value) => new(Vector512.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 Load(float* address) => new(Vector512.Load(address));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 Load(ushort* address) =>
        new(Vector512.ShiftLeft(Vector512.WidenLower(Vector256.Load(address).ToVector512Unsafe()), 16).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 MultiplyAdd(Lanes512 a, Lanes512 b, Lanes512 c) => new(Vector512.MultiplyAddEstimate(a.value, b.value, c.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 Max(Lanes512 a, Lanes512 b) => new(Vector512.MaxNative(a.value, b.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 Sqrt(Lanes512 x) => new(Vector512.Sqrt(x.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 Abs(Lanes512 x) => new(Vector512.Abs(x.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 Exp(Lanes512 x) => new(VectorMath.Exp(x.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 CopySign(Lanes512 magnitude, Lanes512 sign) =>
        new(Vector512.ConditionalSelect(Vector512.Create(-0f), sign.value, magnitude.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 WhereLess(Lanes512 a, Lanes512 b, Lanes512 then, Lanes512 defaultValue) =>
        new(Vector512.ConditionalSelect(Vector512.LessThan(a.value, b.value), then.value, defaultValue.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 Kept(ulong rowKey, int column, uint threshold)
    {
        Vector512<uint> h = Vector512<uint>.Indices + Vector512.Create((uint)column + (uint)rowKey);
        h = (h ^ (h >>> 16)) * DropoutMask.FirstMultiplier;
        h ^= Vector512.Create((uint)(rowKey >> 32));
        h = (h ^ (h >>> 15)) * DropoutMask.SecondMultiplier;
        h ^= h >>> 16;
        return new(Vector512.GreaterThanOrEqual(h, Vector512.Create(threshold)).AsSingle());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(float* address) => value.Store(address);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(ushort* address)
    {
        Vector512<uint> bits = value.AsUInt32();
        Vector512<uint> nearest = bits + Vector512.Create(0x7FFFu) + ((bits >>> 16) & Vector512<uint>.One);
        Vector512<uint> rounded = Vector512.ConditionalSelect(Vector512.Equals(value, value).AsUInt32(), nearest, bits | Vector512.Create(0x40_0000u)) >>> 16;
        Vector512.Narrow(rounded, rounded).GetLower().Store(address);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public float Sum() => new Lanes256(value.GetLower() + value.GetUpper()).Sum();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public float Max() => Math.Max(new Lanes256(value.GetLower()).Max(), new Lanes256(value.GetUpper()).Max());
}
