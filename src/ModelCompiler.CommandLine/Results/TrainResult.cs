using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace ModelCompiler.CommandLine.Results;

/// <summary>
/// Result of <c>mc train</c>; <paramref name="Loss"/> has one number for each step of this run, <paramref name="Ranks"/> one for each projection,
/// or where layers differ one for each of them.
/// </summary>
internal sealed record TrainResult(
    string Recipe,
    int Steps,
    double[] Loss,
    BeforeAfter? EvalLoss,
    double TokensPerSecond,
    TrainMemory Memory,
    Dictionary<string, JsonNode> Ranks,
    string Out,
    DataCounts Data,
    DataCounts? EvalData);

/// <summary>A held-out figure before and after training or quantization; <paramref name="Before"/> is null in a resumed run.</summary>
internal sealed record BeforeAfter(double? Before, double? After);

/// <summary>
/// Bytes: what the plan said of the arena and paged memory, what the allocator gave out, what the data takes, the overhead of the runtime, the sum of the
/// first and these two, and what the process held at most.
/// </summary>
internal sealed record TrainMemory(long Predicted, long Allocated, long Data, long Overhead, long Peak, long Resident);

/// <summary>Result of <c>mc evaluate</c>; with <c>--rank all</c> every rank's, and the lowest as the whole's.</summary>
internal sealed record EvaluateResult(
    string Recipe,
    double Loss,
    double Perplexity,
    long Tokens,
    DataCounts Data,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] RankResult[]? Ranks = null);

/// <summary>What the evaluation of one rank found.</summary>
internal sealed record RankResult(int Rank, double Loss, double Perplexity, long Tokens);

/// <summary>Result of <c>mc logits</c>: a row for every position.</summary>
internal sealed record LogitsResult(string Recipe, int[] Tokens, float[][] Logits);

/// <summary>Result of <c>mc generate</c>.</summary>
internal sealed record GenerateResult(string Recipe, string Prompt, string Text, int Tokens, string StopReason, double TokensPerSecond);

/// <summary>Result of <c>mc quantize</c>; the comparisons are null without data, <paramref name="Bytes"/> is the size of the weights' file.</summary>
internal sealed record QuantizeResult(string Recipe, string[] Files, long Bytes, double? MaxLogitDifference, BeforeAfter? Perplexity);
