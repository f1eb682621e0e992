using System.Runtime.CompilerServices;

namespace ModelCompiler.Backends.Cpu.Vectors;

/// <summary>One float: the elements at the end of a row that fill no vector.</summary>
[method: MethodImpl(MethodImplOptions.AggressiveInlining)]
internal readonly unsafe struct Lane(float value) : ILanes<Lane>
{
    private readonly float value = value;

    public static Lane operator +(Lane a, Lane b) => new(a.value + b.value);

    public static Lane operator -(Lane a, Lane b) => new(a.value - b.value);

    public static Lane operator *(Lane a, Lane b) => new(a.value * b.value);

    public static Lane operator /(Lane a, Lane b) => new(a.value / b.value);

    public static Lane operator &(Lane a, Lane b) =>
        new(BitConverter.UInt32BitsToSingle(BitConverter.SingleToUInt32Bits(a.value) & BitConverter.SingleToUInt32Bits(b.value)));

    public static Lane Of(float value) => new(value);

    public static Lane Load(float* address) => new(*address);

    public static Lane Load(ushort* address) => new(HostTransfer.FromBFloat16(*address));

    public static Lane MultiplyAdd(Lane a, Lane b, Lane c) => new(float.MultiplyAddEstimate(a.value, b.value, c.value));

    public static Lane Max(Lane a, Lane b) => new(Math.Max(a.value, b.value));

    public static Lane Sqrt(Lane x) => new(MathF.Sqrt(x.value));

    public static Lane Abs(Lane x) => new(MathF.Abs(x.value));

    public static Lane Exp(Lane x) => new(MathF.Exp(x.value));

    public static Lane CopySign(Lane magnitude, Lane sign) => new(MathF.CopySign(magnitude.value, sign.value));

    public static Lane WhereLess(Lane a, Lane b, Lane then, Lane defaultValue) => a.value < b.value ? then : defaultValue;

    public static Lane Kept(ulong rowKey, int column, uint threshold) =>
        new(BitConverter.UInt32BitsToSingle(DropoutMask.Bits(rowKey, column) >= threshold ? uint.MaxValue : 0));

    public void Store(float* address) => *address = value;

    public void Store(ushort* address) => *address = HostTransfer.ToBFloat16(value);

    public float Sum() => value;

    public float Max() => value;
}
