using System.Text.Json.Serialization;

namespace ModelCompiler.CommandLine.Results;

/// <summary>What <c>--json</c> prints, written without reflection.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(ListResult))]
[JsonSerializable(typeof(InspectResult))]
[JsonSerializable(typeof(PlanResult))]
[JsonSerializable(typeof(TuneResult))]
[JsonSerializable(typeof(TrainResult))]
[JsonSerializable(typeof(CompareResult))]
[JsonSerializable(typeof(EvaluateResult))]
[JsonSerializable(typeof(LogitsResult))]
[JsonSerializable(typeof(GenerateResult))]
[JsonSerializable(typeof(QuantizeResult))]
[JsonSerializable(typeof(ConversionResult))]
[JsonSerializable(typeof(PretrainResult))]
[JsonSerializable(typeof(QuickstartResult))]
internal sealed partial class HostJson : JsonSerializerContext;
