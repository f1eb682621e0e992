using ModelCompiler.Planning;

namespace ModelCompiler.Quantization;

/// <summary>
/// Double quantization (Dettmers et al. 2023, "QLoRA", section 3): the blocks' factors, less their mean, become indices into the signed
/// <see cref="DynamicMap"/> with one fp32 factor per 256 of them. All arithmetic is fp32, as in bitsandbytes; the mean alone is summed in double
/// and rounded once, because the order in which bitsandbytes sums differs between its backends.
/// </summary>
public static class DoubleQuantization
{
    /// <summary>A group below this counts as zero: the reciprocal of much less is infinite.</summary>
    private const float Least = 1e-38f;

    /// <summary>Quantizes the factors of a weight.</summary>
    /// <param name="factors">The factor of each block.</param>
    /// <param name="codes">Takes a code for each.</param>
    /// <param name="nested">Takes a factor for each 256 of them.</param>
    /// <returns>The mean of the factors.</returns>
    public static float Encode(ReadOnlySpan<float> factors, Span<byte> codes, Span<float> nested)
    {
        float mean = Mean(factors);
        for (int group = 0; group < nested.Length; group++)
        {
            int first = group * StorageLayout.NestedBlock;
            int count = Math.Min(StorageLayout.NestedBlock, factors.Length - first);
            float absmax = 0;
            foreach (float factor in factors.Slice(first, count))
            {
                absmax = MathF.Max(absmax, MathF.Abs(factor - mean));
            }

            float reciprocal = absmax < Least ? 0 : 1 / absmax;
            for (int i = first; i < first + count; i++)
            {
                codes[i] = DynamicMap.Signed.Encode((factors[i] - mean) * reciprocal);
            }

            nested[group] = absmax;
        }

        return mean;
    }

    /// <summary>A factor: map[code] · nested + mean.</summary>
    public static float Decode(byte code, float nested, float mean) => DynamicMap.Signed.Decode(code) * nested + mean;

    /// <summary>The factors of a run of codes that share their nested factor; each exactly as <see cref="Decode(byte, float, float)"/> gives it.</summary>
    /// <param name="codes">The codes.</param>
    /// <param name="nested">Their nested factor.</param>
    /// <param name="mean">The mean of the weight's factors.</param>
    /// <param name="factors">Takes the factor of each code.</param>
    /// <exception cref="ArgumentException">There is no place for every factor.</exception>
    public static void Decode(ReadOnlySpan<byte> codes, float nested, float mean, Span<float> factors) =>
        DynamicMap.Signed.Decode(codes, factors, nested, mean);

    private static float Mean(ReadOnlySpan<float> factors)
    {
        double sum = 0;
        foreach (float factor in factors)
        {
            sum += factor;
        }

        return factors.IsEmpty ? 0 : (float)(sum / factors.Length);
    }
}
