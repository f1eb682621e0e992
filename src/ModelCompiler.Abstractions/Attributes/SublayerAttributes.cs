namespace ModelCompiler;

/// <summary>
/// Root-mean-square norm: y = x / sqrt(mean(x²) + ε) · w. On a sublayer it is that sublayer's norm; on the transformer's
/// class it is the norm before the head.
/// </summary>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Class)]
public sealed class RmsNormAttribute : Attribute
{
    /// <summary>ε inside the square root.</summary>
    public float Epsilon { get; set; } = 1e-5f;
}

/// <summary>Layer norm: y = (x - mean(x)) / sqrt(var(x) + ε) · w + b. Placed like <see cref="RmsNormAttribute"/>.</summary>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Class)]
public sealed class LayerNormAttribute : Attribute
{
    /// <summary>ε inside the square root.</summary>
    public float Epsilon { get; set; } = 1e-5f;

    /// <summary>Whether the norm has a bias b.</summary>
    public bool Bias { get; set; } = true;
}

/// <summary>Causal multi-head self-attention, with grouped key and value heads.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class AttentionAttribute : Attribute
{
    /// <summary>Number of query heads.</summary>
    public int Heads { get; set; }

    /// <summary>Number of key and value heads; 0: as many as query heads.</summary>
    public int KeyValueHeads { get; set; }

    /// <summary>Width of one head; 0: the model's width divided by <see cref="Heads"/>.</summary>
    public int HeadWidth { get; set; }

    /// <summary>Whether query, key and value projections have a bias (GPT-2, Qwen2).</summary>
    public bool Bias { get; set; }

    /// <summary>Whether the output projection has a bias (GPT-2).</summary>
    public bool OutputBias { get; set; }
}

/// <summary>Rotary position embedding of queries and keys, half-split as in Hugging Face checkpoints.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class RotaryAttribute : Attribute
{
    /// <summary>Base of the geometric series of wavelengths.</summary>
    public float Theta { get; set; } = 10_000;

    /// <summary>How many of a head's leading channels rotate (partial rotary of GPT-NeoX); 0: all.</summary>
    public int Width { get; set; }

    /// <summary>The layers whose queries and keys rotate, "0..2, 4..6"; those of the others know no positions (SmolLM3). Null: all.</summary>
    public string? Layers { get; set; }

    /// <summary>How frequencies are stretched: <c>rope_type</c> of config.json's <c>rope_scaling</c>.</summary>
    public RotaryScaling Scaling { get; set; }

    /// <summary>What scaled frequencies are divided by, at least 1: <c>factor</c>.</summary>
    public float Factor { get; set; }

    /// <summary>For <see cref="RotaryScaling.Llama3"/>: <c>low_freq_factor</c>; 0: 1, as Llama 3 has it.</summary>
    public float LowFrequencyFactor { get; set; }

    /// <summary>For <see cref="RotaryScaling.Llama3"/>: <c>high_freq_factor</c>; 0: 4, as Llama 3 has it.</summary>
    public float HighFrequencyFactor { get; set; }

    /// <summary>For <see cref="RotaryScaling.Llama3"/>: <c>original_max_position_embeddings</c>; 0: 8,192, as Llama 3 has it.</summary>
    public int OriginalContext { get; set; }
}

/// <summary>
/// RMS norm of each head's queries and keys before they rotate, with a weight of one head's width that the heads share (Qwen 3; Henry et al. 2020, "Query-Key Normalization for Transformers").
/// </summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class QueryKeyNormAttribute : Attribute
{
    /// <summary>Added to the mean of squares.</summary>
    public float Epsilon { get; set; } = 1e-5f;
}

/// <summary>Gated feed-forward layer: down(silu(gate(x)) · up(x)).</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class SwiGluAttribute : Attribute
{
    /// <summary>Width of gate and up.</summary>
    public int Hidden { get; set; }

    /// <summary>Whether the three projections have a bias.</summary>
    public bool Bias { get; set; }
}

/// <summary>Gated feed-forward layer: down(gelu_tanh(gate(x)) · up(x)).</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class GeGluAttribute : Attribute
{
    /// <summary>Width of gate and up.</summary>
    public int Hidden { get; set; }

    /// <summary>Whether the three projections have a bias.</summary>
    public bool Bias { get; set; }
}

/// <summary>Feed-forward layer down(gelu_tanh(up(x))) (GPT-2; the tanh form of GELU).</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class GeluAttribute : Attribute
{
    /// <summary>Width of the hidden layer.</summary>
    public int Hidden { get; set; }

    /// <summary>Whether both projections have a bias.</summary>
    public bool Bias { get; set; } = true;
}

/// <summary>A learned factor per channel on the sublayer's output before it joins the residual stream (CaiT, section 2).</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class LayerScaleAttribute : Attribute;
