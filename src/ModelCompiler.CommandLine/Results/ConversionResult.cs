namespace ModelCompiler.CommandLine.Results;

/// <summary>
/// Result of <c>mc merge</c> and <c>mc export</c>: what was written, and how far it computes the same. <paramref name="MaxLogitDifference"/> is null where
/// no model without adapters can hold what was written; <paramref name="Perplexity"/> is null without data.
/// </summary>
internal sealed record ConversionResult(string Recipe, string[] Files, double? MaxLogitDifference, BeforeAfter? Perplexity);
