namespace ModelCompiler.CommandLine.Estimators;

/// <summary>
/// A QLoRA fine-tuning job under PyTorch 2.3, transformers 4.41, PEFT 0.11 and bitsandbytes 0.43, as <c>Trainer</c> runs it with bf16: projections in
/// double-quantized NF4, everything else in fp32 (<c>prepare_model_for_kbit_training</c>), LoRA in fp32 on every projection, re-entrant checkpointing of
/// every block, paged 8-bit AdamW.
/// </summary>
/// <param name="Shape">The model.</param>
/// <param name="Batch">Sequences in a micro-batch.</param>
/// <param name="Sequence">Tokens of a sequence.</param>
/// <param name="Rank">Rank of the adapters.</param>
public sealed record PyTorchJob(LlamaShape Shape, int Batch, int Sequence, int Rank)
{
    /// <summary>Whether adapters drop elements of their input: a copy of it, and one byte an element kept for backward.</summary>
    public bool Dropout { get; init; }

    /// <summary>Micro-batches in an optimizer step; from the second one on gradients are there from its start.</summary>
    public int GradientAccumulation { get; init; } = 1;

    /// <summary>How transformers writes the block.</summary>
    public PyTorchBlock Block { get; init; } = Shape.Name.StartsWith("Phi3", StringComparison.Ordinal) ? PyTorchBlock.Phi3 : PyTorchBlock.Llama;

    /// <summary>
    /// Sets of outputs (logits and last hidden states, fp32) that live until the end of backward. A program that drops them has 0; the jobs that GELATO's
    /// figure shows have 2.
    /// </summary>
    public int RetainedOutputs { get; init; } = 2;

    /// <summary>
    /// Whether the whole training runs inside a further <c>torch.autocast("cuda")</c>, whose type is fp16: 16-bit copies of adapters then outlive forward,
    /// and backward copies both operands of its products from bf16. So do the jobs that GELATO's figure shows.
    /// </summary>
    public bool OuterAutocast { get; init; } = true;
}

/// <summary>How transformers writes a decoder block.</summary>
public enum PyTorchBlock
{
    /// <summary>
    /// Seven projections, and attention as one operation, as in the Llama and Mistral classes. Each layer keeps 16-bit tables of the rotary embedding for the
    /// whole context.
    /// </summary>
    Llama,

    /// <summary>As in the Phi-3 class: query, key and value in one projection, gate and up in another, attention's scores in memory, no tables.</summary>
    Phi3,
}
