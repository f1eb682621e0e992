using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace ModelCompiler.Quantization;

/// <summary>
/// The 8-bit dynamic data type of blockwise quantisation (Dettmers et al. 2022, "8-bit Optimizers via Block-wise Quantization"): 256 values
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

    private DynamicMap(bool signed)
    {
        double[] values = [.. Ascending(signed)];
        _values = [.. values.Select(v => (float)v)];
        _upper = [.. Enumerable.Range(0, _values.Length - 1).Select(c => RoundDown(((double)_values[c] + _values[c + 1]) / 2))];
    }

    /// <summary>Values of both signs: first moments, and scales less their mean. Index 127 is 0.</summary>
    public static DynamicMap Signed { get; } = new(signed: true);

    /// <summary>Values from 0 up: second moments. Index 0 is 0.</summary>
    public static DynamicMap Unsigned { get; } = new(signed: false);

    /// <summary>The 256 values, ascending.</summary>
    public ReadOnlySpan<float> Values => _values;

    /// <summary>The index of the value nearest to <paramref name="x"/>, of two the lower; outside the range the first or the last, of a NaN 0.</summary>
    public byte Encode(float x)
    {
        ref float upper = ref MemoryMarshal.GetArrayDataReference(_upper);
        int code = 0;
        for (int half = 128; half > 0; half >>= 1)
        {
            // Without a branch: which way the search goes cannot be predicted.
            code += x > Unsafe.Add(ref upper, code + half - 1) ? half : 0;
        }

        return (byte)code;
    }

    /// <summary>The value of an index.</summary>
    public float Decode(byte code) => _values[code];

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
