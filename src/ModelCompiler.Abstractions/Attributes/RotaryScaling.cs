namespace ModelCompiler;

/// <summary>How rotary frequencies θ^(−2i / width) are stretched for a longer context than the model was first trained on.</summary>
public enum RotaryScaling
{
    /// <summary>Not at all.</summary>
    None,

    /// <summary>All are divided by a factor (Chen et al. 2023, "Extending Context Window of Large Language Models via Positional Interpolation"; "linear" in config.json).</summary>
    Linear,

    /// <summary>
    /// Low ones are divided by a factor, high ones stay, and those between change over gradually (Llama 3.1's rule; "llama3" in config.json).
    /// </summary>
    Llama3,
}
