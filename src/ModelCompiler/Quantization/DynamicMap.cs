using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace ModelCompiler.Quantization;

/// <summary>
/// The 8-bit dynamic data type of blockwise quantization (Dettmers et al. 2022, "8-bit Optimizers via Block-wise Quantization"): 256 values
/// in [-1, 1] or [0, 1] whose relative precision grows with their magnitude. A block is stored as its greatest magnitude and, for
/// each element divided by that, the index of the nearest value.
/// </summary>
/// <remarks>
/// Decade i of 7 holds the midpoints of 2^i (signed, with both signs) or 2^(i+1) (unsigned) equal parts of [0.1, 1], times 10^(i-6). With
/// 0 and 1 that makes 256. The signed map has no -1: its lowest value is -0.99296875.
/// </remarks>
public sealed class DynamicMap
{
    private const int Decades = 7;

    private readonly float[] _values;

    /// <summary>Element c is the greatest float that still belongs to code c: the midpoint to the next value, rounded down.</summary>
    private readonly float[] _upper;

    /// <summary>
    /// The code of the lowest float with the upper 16 bits that are the index. The floats that share them span less than two values of the map
    /// lie apart, so any of them has this code or the next: no search, whose branches could not be predicted.
    /// </summary>
    private readonly byte[] _codeOfUpperHalf = new byte[1 << 16];

    /// <summary>Byte p of value c, from the lowest, is element 256 p + c.</summary>
    private readonly byte[] _planes = new byte[4 * 256];

    private DynamicMap(bool signed)
    {
        double[] values = [.. Ascending(signed)];
        _values = [.. values.Select(v => (float)v)];
        _upper = [.. Enumerable.Range(0, _values.Length - 1).Select(c => RoundDown(((double)_values[c] + _values[c + 1]) / 2)), float.PositiveInfinity];
        for (int i = 0; i < _planes.Length; i++)
        {
            _planes[i] = (byte)(BitConverter.SingleToUInt32Bits(_values[i & 255]) >> (i >> 8 << 3));
        }

        for (uint half = 0; half < _codeOfUpperHalf.Length; half++)
        {
            bool negative = half >= 1 << 15;
            float lowest = BitConverter.UInt32BitsToSingle(half << 16 | (negative ? 0xFFFFu : 0));
            int code = Array.BinarySearch(_upper, lowest);
            _codeOfUpperHalf[half] = (byte)(float.IsNaN(lowest) ? 0 : code < 0 ? ~code : code);
        }
    }

    /// <summary>Values of both signs: first moments, and scales less their mean. Index 127 is 0.</summary>
    public static DynamicMap Signed { get; } = new(signed: true);

    /// <summary>Values from 0 up: second moments. Index 0 is 0.</summary>
    public static DynamicMap Unsigned { get; } = new(signed: false);

    /// <summary>The 256 values, ascending.</summary>
    public ReadOnlySpan<float> Values => _values;

    /// <summary>The index of the value nearest to <paramref name="x"/>, of two the lower; outside the range the first or the last.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public byte Encode(float x)
    {
        int code = Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(_codeOfUpperHalf), BitConverter.SingleToUInt32Bits(x) >> 16);
        float upper = Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(_upper), code);
        return (byte)(code + (x > upper ? 1 : 0));
    }

    /// <summary>The value of an index.</summary>
    public float Decode(byte code) => _values[code];

    /// <summary>The values of indices, times a factor, plus an offset; both roundings are of fp32.</summary>
    /// <param name="codes">The indices.</param>
    /// <param name="values">Takes the value of each.</param>
    /// <param name="factor">The factor.</param>
    /// <param name="offset">The offset.</param>
    /// <exception cref="ArgumentException">There is no place for every value.</exception>
    public void Decode(ReadOnlySpan<byte> codes, Span<float> values, float factor = 1, float offset = 0)
    {
        values = values[..codes.Length];
        int i = Avx512Vbmi.IsSupported ? DecodeRuns(codes, values, factor, offset) : 0;
        ref float first = ref MemoryMarshal.GetArrayDataReference(_values);
        for (; i < codes.Length; i++)
        {
            values[i] = Unsafe.Add(ref first, (int)codes[i]) * factor + offset;
        }
    }

    /// <summary>
    /// Whole runs of 64 codes, each of a value's four bytes looked up for all of them at once in registers: value after value would be a sixth of a
    /// product with a single token.
    /// </summary>
    /// <returns>How many codes are decoded.</returns>
    private int DecodeRuns(ReadOnlySpan<byte> codes, Span<float> values, float factor, float offset)
    {
        // Dword q of 128-bit lane l holds codes 16 q + 4 l on: unpacking within lanes then leaves 16 q + (0..15) in vector q.
        Vector512<int> spread = Vector512.Create(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
        int i = 0;
        for (; i + Vector512<byte>.Count <= codes.Length; i += Vector512<byte>.Count)
        {
            Vector512<byte> run = Avx512F.PermuteVar16x32(Vector512.Create(codes[i..]).AsInt32(), spread).AsByte();
            Vector512<byte> upper = Vector512.LessThan(run.AsSByte(), Vector512<sbyte>.Zero).AsByte();
            (Vector512<byte> b0, Vector512<byte> b1, Vector512<byte> b2, Vector512<byte> b3) =
                (LookUp(0, run, upper), LookUp(1, run, upper), LookUp(2, run, upper), LookUp(3, run, upper));
            Vector512<ushort> low01 = Avx512BW.UnpackLow(b0, b1).AsUInt16(), high01 = Avx512BW.UnpackHigh(b0, b1).AsUInt16();
            Vector512<ushort> low23 = Avx512BW.UnpackLow(b2, b3).AsUInt16(), high23 = Avx512BW.UnpackHigh(b2, b3).AsUInt16();
            Span<float> target = values[i..];
            (Avx512BW.UnpackLow(low01, low23).AsSingle() * factor + Vector512.Create(offset)).CopyTo(target);
            (Avx512BW.UnpackHigh(low01, low23).AsSingle() * factor + Vector512.Create(offset)).CopyTo(target[16..]);
            (Avx512BW.UnpackLow(high01, high23).AsSingle() * factor + Vector512.Create(offset)).CopyTo(target[32..]);
            (Avx512BW.UnpackHigh(high01, high23).AsSingle() * factor + Vector512.Create(offset)).CopyTo(target[48..]);
        }

        return i;
    }

    /// <summary>Byte <paramref name="plane"/> of the values of 64 codes: the look-up takes seven bits of a code, the selection the eighth.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Vector512<byte> LookUp(nuint plane, Vector512<byte> codes, Vector512<byte> upper)
    {
        ref byte bytes = ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(_planes), plane << 8);
        Vector512<byte> low = Avx512Vbmi.PermuteVar64x8x2(Vector512.LoadUnsafe(ref bytes), codes, Vector512.LoadUnsafe(ref bytes, 64));
        Vector512<byte> high = Avx512Vbmi.PermuteVar64x8x2(Vector512.LoadUnsafe(ref bytes, 128), codes, Vector512.LoadUnsafe(ref bytes, 192));
        return Vector512.ConditionalSelect(upper, high, low);
    }

    private static IEnumerable<double> Ascending(bool signed)
    {
        double[] magnitudes =
        [
            .. Enumerable.Range(0, Decades).SelectMany(i =>
            {
                int parts = signed ? 1 << i : 2 << i;
                return Enumerable.Range(0, parts).Select(part => (0.1 + 0.9 * (part + 0.5) / parts) * Math.Pow(10, i - Decades + 1));
            }),
        ];
        IEnumerable<double> negative = signed ? magnitudes.Reverse().Select(m => -m) : [];
        return [.. negative, 0, .. magnitudes, 1];
    }

    private static float RoundDown(double x) => (float)x is var nearest && nearest > x ? MathF.BitDecrement(nearest) : (float)x;
}
