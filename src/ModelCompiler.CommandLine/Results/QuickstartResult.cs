using ModelCompiler.CommandLine.Quickstart;
using ModelCompiler.CommandLine.Runs;

namespace ModelCompiler.CommandLine.Results;

/// <summary>Result of <c>mc quickstart</c>.</summary>
internal sealed record QuickstartResult(
    string Recipe,
    string Data,
    ParameterCounts Parameters,
    long Tokens,
    BeforeAfter Loss,
    BitsPerByte BitsPerByte,
    double TokensPerSecond,
    PlannedMemory Memory,
    string AdapterPath,
    string[] GeneratedFiles,
    Sample[] Samples,
    double Seconds);

/// <summary>Parameters of the recipe.</summary>
internal sealed record ParameterCounts(long Total, long Trainable);

/// <summary>
/// Bits per byte of text: of the base on plain held-out prose, and of held-out summaries given their signatures before and after
/// fine-tuning. End marks are paid for and count no byte.
/// </summary>
internal sealed record BitsPerByte(double Prose, double Before, double After);

/// <summary>Bytes: what the plan said and what the allocator gave out.</summary>
internal sealed record PlannedMemory(long Predicted, long Allocated);

/// <summary>A held-out prompt, what the base and the tuned model wrote, and the reference.</summary>
internal sealed record Sample(string Prompt, string Before, string After, string Reference);

/// <summary>Result of the hidden command <c>mc pretrain</c>.</summary>
internal sealed record PretrainResult(
    string Model, string Out, long Parameters, int Steps, int BestStep, long Tokens, double ValidationLoss, double BitsPerByte, double TokensPerSecond, double Seconds);
