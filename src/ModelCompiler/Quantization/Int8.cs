namespace ModelCompiler.Quantization;

/// <summary>8-bit integers, symmetric: code = round(127 · w / absmax), value = code · (absmax / 127).</summary>
internal static class Int8
{
    private const int Largest = 127;

    /// <summary>Codes of a block, ties to even.</summary>
    /// <param name="block">The block's weights.</param>
    /// <param name="absmax">Their greatest magnitude.</param>
    /// <param name="codes">Takes a signed code for each.</param>
    public static void Encode(ReadOnlySpan<float> block, float absmax, Span<byte> codes)
    {
        // In double: 127 / absmax of a tiny block would be infinite.
        double factor = absmax > 0 ? Largest / (double)absmax : 0;
        for (int i = 0; i < block.Length; i++)
        {
            codes[i] = (byte)(sbyte)Math.Round(block[i] * factor);
        }
    }

    /// <summary>The distance of two neighboring values of a block.</summary>
    public static float Step(float absmax) => absmax / Largest;
}

/// <summary>The codec of <see cref="Int8"/>: factors are absmax.</summary>
internal sealed class Int8Codec() : WeightCodec([])
{
    /// <inheritdoc/>
    public override (float Factor, float Zero) Encode(ReadOnlySpan<float> block, float absmax, Span<byte> codes)
    {
        Int8.Encode(block, absmax, codes);
        return (absmax, 0);
    }

    /// <inheritdoc/>
    public override float Step(float factor) => Int8.Step(factor);
}
