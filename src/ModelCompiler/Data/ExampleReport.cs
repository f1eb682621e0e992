using ModelCompiler.Tokenizers;

namespace ModelCompiler.Data;

/// <summary>What became of the rows that examples were made of.</summary>
/// <param name="Rows">All rows.</param>
/// <param name="Dropped">Rows that nothing can be learned from.</param>
/// <param name="Truncated">Rows whose end was left out.</param>
/// <param name="FirstDropped">The first few that were dropped.</param>
public sealed record ExampleReport(int Rows, int Dropped, int Truncated, IReadOnlyList<DroppedRow> FirstDropped)
{
    /// <summary>A report of no rows: of examples that were made otherwise.</summary>
    public static ExampleReport None { get; } = new(0, 0, 0, []);

    /// <summary>Texts of the rows that carried marks of their own, or spell special tokens.</summary>
    public MarkCounts Marks { get; init; }
}

/// <summary>A row that was dropped.</summary>
/// <param name="Source">File and line.</param>
/// <param name="Reason">Why nothing can be learned from it.</param>
public sealed record DroppedRow(string Source, string Reason)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Source}: {Reason}";
}
