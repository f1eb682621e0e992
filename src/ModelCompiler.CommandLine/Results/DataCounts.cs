using ModelCompiler.CommandLine.Runs;
using ModelCompiler.Data;
using ModelCompiler.Tokenizers;

namespace ModelCompiler.CommandLine.Results;

/// <summary>What became of the rows of a data file.</summary>
/// <param name="Rows">All rows.</param>
/// <param name="Dropped">Rows that nothing can be learned from.</param>
/// <param name="Truncated">Rows whose end was left out.</param>
/// <param name="Examples">Examples that were made of the rest.</param>
/// <param name="Bytes">Memory that they take.</param>
/// <param name="FirstDropped">The first few dropped rows: file, line and reason.</param>
internal sealed record DataCounts(int Rows, int Dropped, int Truncated, int Examples, long Bytes, string[] FirstDropped)
{
    /// <summary>Texts that carried their begin or end mark, which was not added again, and texts that spell special tokens, which stayed text.</summary>
    public MarkCounts Marks { get; init; }

    /// <summary>The counts of a file; null where there is none.</summary>
    public static DataCounts? Of(ExampleSet? examples) => examples is null
        ? null
        : new DataCounts(
            examples.Report.Rows, examples.Report.Dropped, examples.Report.Truncated, examples.Count, examples.Bytes, [.. examples.Report.FirstDropped.Select(r => r.ToString())])
        {
            Marks = examples.Report.Marks,
        };
}
