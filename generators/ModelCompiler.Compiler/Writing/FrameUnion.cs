using ModelCompiler.Compiler.Passes;
using ModelCompiler.Planning;

namespace ModelCompiler.Compiler.Writing;

/// <summary>
/// Gives the frames of all variants and policies of a region one list of names, so that one struct and one text serve them all;
/// names a frame does not have are absent in its table.
/// </summary>
public sealed class FrameUnion
{
    private readonly Dictionary<string, int> _index = [];
    private readonly List<FrameBuffer> _names = [];

    /// <summary>Creates the union.</summary>
    /// <exception cref="InvalidOperationException">Frames have buffers of one name and different shapes.</exception>
    public FrameUnion(IEnumerable<FrameDraft> drafts)
    {
        foreach (FrameDraft draft in drafts)
        {
            foreach (FrameBuffer row in draft.Table.Buffers)
            {
                if (!_index.TryGetValue(row.Name, out int index))
                {
                    _index.Add(row.Name, _names.Count);
                    _names.Add(row);
                }
                else if (row.Kind != BufferKind.Hidden && (_names[index].Rows, _names[index].Columns, _names[index].Statistic) != (row.Rows, row.Columns, row.Statistic))
                {
                    throw new InvalidOperationException($"buffer '{row.Name}' is [{row.Rows}, {row.Columns}] in {draft.Table.Name}, elsewhere [{_names[index].Rows}, {_names[index].Columns}]");
                }
            }
        }
    }

    /// <summary>A row per name, as it stands in the first frame that has it.</summary>
    public IReadOnlyList<FrameBuffer> Names => _names;

    /// <summary>Whether any frame has a buffer.</summary>
    public bool Has(string name) => _index.ContainsKey(name);

    /// <summary>A frame's table with a row for every name of the union.</summary>
    public FrameTable Table(FrameDraft draft)
    {
        FrameTable table = draft.Table;
        FrameBuffer[] rows = _names.Select(n => n with { Kind = BufferKind.Absent, First = 0, Last = 0, Shares = -1 }).ToArray();
        foreach (FrameBuffer row in table.Buffers.Where(static row => row.Kind != BufferKind.Absent))
        {
            int shares = row.Shares < 0 ? -1 : _index[table.Buffers[row.Shares].Name];
            FrameBuffer first = _names[_index[row.Name]];

            // The last residual stream lies outside the frame: all of it in the loss, some rows in the head.
            rows[_index[row.Name]] = row with { Shares = shares, Rows = first.Rows };
        }

        return table with { Buffers = rows };
    }
}
