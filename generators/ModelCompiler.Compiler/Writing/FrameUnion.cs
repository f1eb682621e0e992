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
    public FrameUnion(IEnumerable<FrameDraft> drafts)
    {
        foreach (FrameDraft draft in drafts)
        {
            foreach (FrameBuffer row in draft.Table.Buffers)
            {
                if (!_index.ContainsKey(row.Name))
                {
                    _index.Add(row.Name, _names.Count);
                    _names.Add(row);
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
        foreach (FrameBuffer row in table.Buffers)
        {
            int shares = row.Shares < 0 ? -1 : _index[table.Buffers[row.Shares].Name];
            rows[_index[row.Name]] = row with { Shares = shares };
        }

        return table with { Buffers = rows };
    }
}
