using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using ModelCompiler.CommandLine.Terminal;

namespace ModelCompiler.CommandLine.Results;

/// <summary>Result of <c>mc compare</c>: the same run for each recipe. Without held-out data of its own, <paramref name="EvalData"/> is null.</summary>
internal sealed record CompareResult(
    string Architecture, int Steps, int Seeds, double LossBefore, MethodResult[] Methods, DataCounts Data, DataCounts? EvalData);

/// <summary>One recipe's runs.</summary>
/// <param name="Name">The recipe.</param>
/// <param name="Method">Its adapters' method, and the storage below them where that is not Float32.</param>
/// <param name="Trainable">Parameters that are trained.</param>
/// <param name="SavedPerToken">Elements that forward keeps for backward, per token, all layers.</param>
/// <param name="Memory">What was planned and allocated.</param>
/// <param name="TokensPerSecond">Mean of all seeds.</param>
/// <param name="Loss">Held-out loss after the run of each seed.</param>
/// <param name="MeanLoss">Their mean.</param>
/// <param name="Deviation">Their standard deviation (n - 1); 0 for one seed.</param>
/// <param name="Adapters">What the methods that choose ranks ended with, of the first seed.</param>
internal sealed record MethodResult(
    string Name,
    string Method,
    long Trainable,
    long SavedPerToken,
    PlannedMemory Memory,
    double TokensPerSecond,
    double[] Loss,
    double MeanLoss,
    double Deviation,
    [property: JsonIgnore] AdapterRanks[] Adapters)
{
    /// <summary>Of nested adapters (DyLoRA) the held-out loss at rank 1, 2, 4, ... and the whole one; null for others.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public NestedLoss[]? Nested { get; init; }

    /// <summary>"1: 2.7933 ± 0.0101, 2: ...", or without deviations where there is one seed.</summary>
    public string NestedText(int seeds) => string.Join(", ", (Nested ?? []).Select(n => $"{n.Rank}: {Tables.Loss(n.Mean, n.Deviation, seeds)}"));

    /// <summary>The same as in <see cref="TrainResult"/>; null where none chooses.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public Dictionary<string, JsonNode>? Ranks => Adapters.Length == 0 ? null : AdapterRanks.Json(Adapters);
}

/// <summary>Held-out loss of nested adapters at one rank.</summary>
/// <param name="Rank">The rank.</param>
/// <param name="Mean">Mean of all seeds.</param>
/// <param name="Deviation">Standard deviation (n - 1); 0 for one seed.</param>
internal sealed record NestedLoss(int Rank, double Mean, double Deviation);
