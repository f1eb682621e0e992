namespace ModelCompiler.Data;

/// <summary>Counts the rows that nothing can be learned from, and refuses more than are allowed.</summary>
/// <param name="limit">How many are allowed.</param>
internal sealed class DroppedRows(DropLimit limit)
{
    private const int Named = 5;

    private readonly List<DroppedRow> _first = [];

    /// <summary>How many there are.</summary>
    public int Count { get; private set; }

    /// <summary>The first few.</summary>
    public IReadOnlyList<DroppedRow> First => _first;

    /// <summary>Adds one.</summary>
    /// <exception cref="DatasetException">None is allowed.</exception>
    public void Add(string source, string reason)
    {
        var row = new DroppedRow(source, reason);
        if (limit == DropLimit.None)
        {
            throw new DatasetException(row.ToString());
        }

        Count++;
        if (_first.Count < Named)
        {
            _first.Add(row);
        }
    }

    /// <summary>After the last row: whether so many may be dropped.</summary>
    /// <param name="rows">All rows.</param>
    /// <exception cref="DatasetException">They are too many, or all.</exception>
    public void Check(int rows)
    {
        if (rows == 0)
        {
            throw new DatasetException("there is no data: no row gave an example");
        }

        if (Count == rows || !limit.Allows(Count, rows))
        {
            string which = Count == 1 ? "" : $"nothing can be learned from {Count} of {rows} rows{(Count == rows ? "" : $", and at most {limit} may be dropped")}: ";
            throw new DatasetException(which + string.Join("; ", _first) + (Count > _first.Count ? $"; and {Count - _first.Count} more" : ""));
        }
    }
}
