using System.Numerics;

namespace ModelCompiler.Quantization;

/// <summary>
/// 4-bit NormalFloat (Dettmers et al. 2023, "QLoRA", section 3): 16 values in [-1, 1], quantiles of a normal distribution, with eight
/// positive ones, seven negative ones and an exact 0. Values and rounding are those of bitsandbytes, so that codes agree bit for bit.
/// </summary>
public static class Nf4
{
    /// <summary>The code of 0.</summary>
    public const byte Zero = 7;

    /// <summary>A block below this counts as zero: bitsandbytes' clamp, since the reciprocal of much less is infinite.</summary>
    private const float Least = 1e-38f;

    /// <summary>The value of each code, ascending.</summary>
    public static ReadOnlySpan<float> Codebook =>
    [
        -1.0f, -0.6961928009986877f, -0.5250730514526367f, -0.39491748809814453f,
        -0.28444138169288635f, -0.18477343022823334f, -0.09105003625154495f, 0.0f,
        0.07958029955625534f, 0.16093020141124725f, 0.24611230194568634f, 0.33791524171829224f,
        0.44070982933044434f, 0.5626170039176941f, 0.7229568362236023f, 1.0f,
    ];

    /// <summary>Element c is the greatest value that still belongs to code c: what lies above belongs to a higher one.</summary>
    public static ReadOnlySpan<float> Thresholds =>
    [
        -0.8480964004993439f, -0.6106329262256622f, -0.4599952697753906f, -0.33967943489551544f, -0.23460740596055984f,
        -0.13791173323988914f, -0.045525018125772476f, 0.03979014977812767f, 0.1202552504837513f, 0.2035212516784668f,
        0.2920137718319893f, 0.3893125355243683f, 0.5016634166240692f, 0.6427869200706482f, 0.8614784181118011f,
    ];

    /// <summary>Codes of a block, w · (1 / absmax) rounded to the nearest value.</summary>
    /// <param name="block">The block's weights.</param>
    /// <param name="absmax">Their greatest magnitude.</param>
    /// <param name="codes">Takes a code for each, one a byte.</param>
    internal static void Encode(ReadOnlySpan<float> block, float absmax, Span<byte> codes)
    {
        // A product, not a quotient, because bitsandbytes multiplies. A zero factor makes every code that of 0.
        float factor = absmax < Least ? 0 : 1 / absmax;
        ReadOnlySpan<float> thresholds = Thresholds;
        Span<int> lanes = stackalloc int[Vector<int>.Count];
        int i = 0;
        for (; i <= block.Length - Vector<float>.Count; i += Vector<float>.Count)
        {
            Vector<float> v = new Vector<float>(block[i..]) * factor;
            Vector<int> code = Vector<int>.Zero;
            foreach (float threshold in thresholds)
            {
                code -= Vector.GreaterThan(v, new Vector<float>(threshold));
            }

            code.CopyTo(lanes);
            for (int lane = 0; lane < lanes.Length; lane++)
            {
                codes[i + lane] = (byte)lanes[lane];
            }
        }

        for (; i < block.Length; i++)
        {
            float v = block[i] * factor;
            int code = 0;
            foreach (float threshold in thresholds)
            {
                code += v > threshold ? 1 : 0;
            }

            codes[i] = (byte)code;
        }
    }
}

/// <summary>The codec of <see cref="Nf4"/>: factors are absmax.</summary>
internal sealed class Nf4Codec() : WeightCodec(Nf4.Codebook)
{
    /// <inheritdoc/>
    public override byte Filler => Nf4.Zero;

    /// <inheritdoc/>
    public override (float Factor, float Zero) Encode(ReadOnlySpan<float> block, float absmax, Span<byte> codes)
    {
        Nf4.Encode(block, absmax, codes);
        return (absmax, 0);
    }
}
