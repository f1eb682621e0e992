namespace ModelCompiler.Quantization;

/// <summary>
/// 4-bit integers, asymmetric, per group of inputs: value = (code − zero) · scale, as GPTQ and QA-LoRA have it (Xu et al. 2023, section 3).
/// The zero point is a real number, since merging a QA-LoRA adapter moves it by amounts that are no whole steps.
/// </summary>
internal static class Int4
{
    private const int Largest = 15;

    /// <summary>The least scale: below it a step would not be a normal number.</summary>
    private const float Least = 1.17549435e-38f;

    /// <summary>Scale, zero point and codes of a group: its least element gets code 0, its greatest 15.</summary>
    /// <param name="group">The group's weights.</param>
    /// <param name="codes">Takes a code for each, one a byte.</param>
    public static (float Scale, float Zero) Encode(ReadOnlySpan<float> group, Span<byte> codes)
    {
        float min = group[0];
        float max = group[0];
        foreach (float w in group)
        {
            min = w < min ? w : min;
            max = w > max ? w : max;
        }

        // In double: the difference of two huge weights would be infinite.
        float scale = (float)(((double)max - min) / Largest);
        if (scale < Least)
        {
            // All equal: the zero point alone is the value. A merge divides by the scale, so that must not be 0.
            codes[..group.Length].Clear();
            return (1, (float)(0 - ((double)min + max) / 2));
        }

        float zero = (float)(-(double)min / scale);
        for (int i = 0; i < group.Length; i++)
        {
            int code = (int)Math.Round((double)group[i] / scale + zero);
            codes[i] = (byte)Math.Clamp(code, 0, Largest);
        }

        return (scale, zero);
    }
}

/// <summary>The codec of <see cref="Int4"/>: factors are scales.</summary>
internal sealed class Int4Codec() : WeightCodec([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15])
{
    /// <inheritdoc/>
    public override (float Factor, float Zero) Encode(ReadOnlySpan<float> block, float absmax, Span<byte> codes) => Int4.Encode(block, codes);
}
