namespace ModelCompiler.CommandLine.Estimators;

/// <summary>
/// What GELATO's formula reads of a fine-tuning job (Singh, memory-gelato, 2024). It assumes gradient checkpointing of every block, bfloat16
/// computation and paged 8-bit AdamW.
/// </summary>
/// <param name="Shape">The model.</param>
/// <param name="Batch">Sequences b in a micro-batch.</param>
/// <param name="Sequence">Tokens S of a sequence.</param>
public sealed record GelatoJob(LlamaShape Shape, int Batch, int Sequence)
{
    private static readonly string[] s_quadratic = ["Phi3Mini", "Phi3_Mini"];

    /// <summary>Bits of a projection's weight: 4, 8, or null for 16 without quantization.</summary>
    public int? Bits { get; init; }

    /// <summary>Whether the factors of quantized blocks are quantized themselves.</summary>
    public bool DoubleQuantized { get; init; } = true;

    /// <summary>Parameters of the adapters; null: all weights are trained.</summary>
    public long? AdapterParameters { get; init; }

    /// <summary>Micro-batches in an optimizer step; the formula multiplies gradients by it.</summary>
    public int GradientAccumulation { get; init; } = 1;

    /// <summary>Whether attention keeps its scores; the published list has Phi-3-mini only.</summary>
    public bool QuadraticAttention { get; init; } = Array.Exists(s_quadratic, name => Shape.Name.StartsWith(name, StringComparison.Ordinal));

    /// <summary>Trained parameters P_t.</summary>
    public long Trained => AdapterParameters ?? Shape.ProjectionWeights + OtherWeights;

    /// <summary>Embedding, a head of its own, and norms: what stays outside quantization.</summary>
    public long OtherWeights => 2L * Shape.Vocabulary * Shape.Width + (2L * Shape.Layers + 1) * Shape.Width;

    /// <summary>Parameters of adapters of one rank on every projection of every layer.</summary>
    /// <param name="shape">The model.</param>
    /// <param name="rank">Rank r.</param>
    /// <param name="gated">Whether each direction has a gate, as in L1RA and AdaLoRA.</param>
    public static long AllLinear(LlamaShape shape, int rank, bool gated = false) =>
        shape.Layers * (long)rank * shape.Projections.Sum(p => p.Inputs + p.Outputs + (gated ? 1 : 0));
}
