namespace ModelCompiler.Operations;

/// <summary>A <see cref="RotaryScaling"/> with its numbers; the default value leaves every frequency as it is.</summary>
/// <param name="Kind">The rule.</param>
/// <param name="Factor">What frequencies are divided by.</param>
/// <param name="LowFrequencyFactor">Llama 3: turns in the original context up to which a frequency is divided by the whole factor.</param>
/// <param name="HighFrequencyFactor">Llama 3: turns in the original context from which a frequency stays.</param>
/// <param name="OriginalContext">Llama 3: tokens of the context that the model was first trained on.</param>
public readonly record struct FrequencyScaling(RotaryScaling Kind, float Factor, float LowFrequencyFactor, float HighFrequencyFactor, int OriginalContext)
{
    /// <summary>Position interpolation: every frequency divided by the factor.</summary>
    public static FrequencyScaling Linear(float factor) => new(RotaryScaling.Linear, factor, 0, 0, 0);

    /// <summary>Llama 3.1's rule.</summary>
    public static FrequencyScaling Llama3(float factor, float lowFrequencyFactor, float highFrequencyFactor, int originalContext) =>
        new(RotaryScaling.Llama3, factor, lowFrequencyFactor, highFrequencyFactor, originalContext);

    /// <summary>
    /// A frequency, in radians a position, scaled. A frequency f turns c f / 2π times in a context of c tokens; Llama 3 keeps the part (turns − low) / (high − low), within [0, 1], of it, and divides the rest.
    /// </summary>
    public double Scale(double frequency)
    {
        double turns = OriginalContext * frequency / (2 * Math.PI);
        double kept = Kind switch
        {
            RotaryScaling.Linear => 0,
            RotaryScaling.Llama3 => Math.Min(Math.Max((turns - LowFrequencyFactor) / (HighFrequencyFactor - LowFrequencyFactor), 0), 1),
            _ => 1,
        };
        return kept == 1 ? frequency : kept * frequency + (1 - kept) * frequency / Factor;
    }

    /// <summary>What a config.json says of it under rope_scaling.</summary>
    public string ToJson() => Kind switch
    {
        RotaryScaling.Linear => FormattableString.Invariant($$"""{"rope_type": "linear", "factor": {{Factor}}}"""),
        RotaryScaling.Llama3 => FormattableString.Invariant(
            $$"""{"rope_type": "llama3", "factor": {{Factor}}, "low_freq_factor": {{LowFrequencyFactor}}, "high_freq_factor": {{HighFrequencyFactor}}, "original_max_position_embeddings": {{OriginalContext}}}"""),
        _ => """{"rope_type": "default"}""",
    };
}
