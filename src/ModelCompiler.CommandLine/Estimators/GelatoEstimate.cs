using ModelCompiler.CommandLine.Estimators.PyTorch;

namespace ModelCompiler.CommandLine.Estimators;

/// <summary>
/// GELATO's estimate of peak memory in PyTorch with PEFT and bitsandbytes, as published: raul-singh/memory-gelato, main at fcf4974, with what is
/// wrong in it (gradients once for each accumulated micro-batch, adapters in 16 bits, 6 bytes of optimizer state for 8 bits). T = b S tokens.
/// </summary>
public sealed class GelatoEstimate
{
    /// <summary>PyTorch's cuBLAS workspace, bytes.</summary>
    private const long CublasWorkspace = 8_519_680;

    private GelatoEstimate(IReadOnlyList<EstimateTerm> terms, string moment)
    {
        Terms = terms;
        Moment = moment;
    }

    /// <summary>The terms, in bytes; their sum is the peak.</summary>
    public IReadOnlyList<EstimateTerm> Terms { get; }

    /// <summary>Which of the formula's moments is the largest.</summary>
    public string Moment { get; }

    /// <summary>The peak in bytes.</summary>
    public long Peak => Terms.Sum(static t => t.Bytes);

    /// <summary>The published formula.</summary>
    /// <exception cref="ArgumentException">The head is tied to the embedding, which the formula does not know, or the bits are not 4, 8 or null.</exception>
    public static GelatoEstimate Of(GelatoJob job)
    {
        LlamaShape shape = Supported(job);
        (long tokens, long logits) = Tokens(job);
        long headIn16Bits = 2L * shape.Vocabulary * shape.Width;
        (string Moment, long Bytes) transient = new[]
        {
            ("cross-entropy", 2 * logits + headIn16Bits + 2 * logits),
            ("backward of the head", 2 * logits + 2 * headIn16Bits),
            ("backward of a recomputed block", tokens * (58L * shape.Width + 18L * shape.Hidden) + 4L * shape.Hidden * shape.Width + logits),
            ("attention's scores", job.QuadraticAttention ? 16L * job.Sequence * job.Sequence * job.Batch * shape.Heads + tokens * (4L * shape.Hidden + 8L * shape.Width) + logits : 0),
        }.MaxBy(static peak => peak.Item2);
        return new(
            [
                new("weights", CostKind.Weights, Weights(job)),
                .. Trainable(job, job.GradientAccumulation),
                new("block inputs", CostKind.Activations, 4 * tokens * shape.Width * shape.Layers),
                new("last hidden states", CostKind.Activations, 8 * tokens * shape.Width),
                new("logits", CostKind.Activations, logits),
                new(transient.Moment, CostKind.Activations, transient.Bytes),
                .. Fixed(job, (long)job.Sequence * job.Sequence),
            ],
            transient.Moment);
    }

    /// <summary>
    /// The formula of the revision that the published figure shows (d667d2e, June 2024): block inputs in 2 bytes, no factors of quantized blocks,
    /// cross-entropy's buffers for the whole of backward.
    /// </summary>
    /// <inheritdoc cref="Of"/>
    public static GelatoEstimate OfTheFigure(GelatoJob job)
    {
        LlamaShape shape = Supported(job);
        (long tokens, long logits) = Tokens(job);
        long headIn16Bits = 2L * shape.Vocabulary * shape.Width;
        long scores = (long)job.Sequence * job.Sequence * job.Batch;
        (string Moment, long Bytes) transient = new[]
        {
            ("cross-entropy", 4 * logits + headIn16Bits),
            ("backward of the head", logits + 2 * headIn16Bits),
            (
                "backward of a recomputed block",
                tokens * (23L * shape.Width + 4L * shape.KeyValueWidth + 34L * shape.Hidden) + (5L * shape.Heads + 1) * scores + 2L * shape.Heads
                    + 4L * shape.Hidden * shape.Width + logits),
        }.MaxBy(static peak => peak.Item2);
        return new(
            [
                new("weights", CostKind.Weights, Bits(job) is int bits ? bits * shape.ProjectionWeights / 8 + 4 * job.OtherWeights : Weights(job)),
                .. Trainable(job, 1),
                new("block inputs", CostKind.Activations, 2 * tokens * shape.Width * shape.Layers),
                new("last hidden states", CostKind.Activations, 8 * tokens * shape.Width),
                new("cross-entropy's buffers", CostKind.Activations, 2 * logits),
                new(transient.Moment, CostKind.Activations, transient.Bytes),
                .. Fixed(job, (long)job.Sequence * job.Sequence * shape.Layers),
            ],
            transient.Moment);
    }

    /// <summary>Bytes of the weights.</summary>
    internal static long Weights(GelatoJob job)
    {
        long projections = job.Shape.ProjectionWeights;
        return Bits(job) is not int bits
            ? 2 * (projections + job.OtherWeights)
            : bits * projections / 8 + 4 * job.OtherWeights + (job.DoubleQuantized ? projections / 64 + 4 * projections / (64 * 256) : 4 * projections / 64);
    }

    /// <summary>Bytes that do not depend on the batch, less weights and what is trained.</summary>
    internal static long Static(int sequence) => CublasWorkspace + (long)sequence * sequence;

    /// <summary>Bytes of what is trained.</summary>
    internal static long Trainable(long parameters, int accumulate) => parameters * (2 + 6 + 4L * accumulate);

    private static (long Tokens, long Logits) Tokens(GelatoJob job)
    {
        long tokens = (long)job.Batch * job.Sequence;
        return (tokens, 4 * tokens * job.Shape.Vocabulary);
    }

    private static IEnumerable<EstimateTerm> Trainable(GelatoJob job, int accumulate)
    {
        yield return new("adapters", CostKind.Adapters, 2 * (job.AdapterParameters ?? 0));
        yield return new("gradients", CostKind.Gradients, 4 * job.Trained * accumulate);
        yield return new("optimizer", CostKind.Optimizer, 6 * job.Trained);
    }

    private static IEnumerable<EstimateTerm> Fixed(GelatoJob job, long mask)
    {
        yield return new("cuBLAS workspace", CostKind.Workspace, CublasWorkspace);
        yield return new("attention mask", CostKind.Inputs, mask);
        yield return new("data", CostKind.Inputs, 32L * job.Batch * job.Sequence);
    }

    private static int? Bits(GelatoJob job) => job.Bits is null or 4 or 8
        ? job.Bits
        : throw new ArgumentException($"GELATO knows weights of 4, 8 and 16 bits, not of {job.Bits}", nameof(job));

    private static LlamaShape Supported(GelatoJob job) => job.Shape.Tied
        ? throw new ArgumentException($"GELATO's formula has a separate head; that of {job.Shape.Name} is tied to the embedding", nameof(job))
        : job.Shape;
}
