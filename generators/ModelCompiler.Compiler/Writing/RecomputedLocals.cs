using System.Text.RegularExpressions;
using ModelCompiler.Compiler.Passes;
using ModelCompiler.Planning;

namespace ModelCompiler.Compiler.Writing;

/// <summary>
/// The locals of a backward method for what some policies recompute: the buffer it is recomputed in, or that of forward where it was kept, so that one
/// text reads both.
/// </summary>
internal sealed class RecomputedLocals
{
    private const string Suffix = "Recomputed";

    /// <summary>The policies that recompute each buffer of forward.</summary>
    private readonly SortedDictionary<string, Checkpointing[]> _policies = new(StringComparer.Ordinal);
    private readonly LocalNames _names;

    public RecomputedLocals(IReadOnlyList<(Checkpointing Policy, FrameDraft Draft)> drafts, LocalNames names)
    {
        _names = names;
        foreach (IGrouping<string, Checkpointing> recomputed in
            from draft in drafts
            from buffer in draft.Draft.Table.Buffers
            where buffer.Kind != BufferKind.Absent && buffer.Name.EndsWith(Suffix, StringComparison.Ordinal)
            group draft.Policy by buffer.Name.Substring(0, buffer.Name.Length - Suffix.Length))
        {
            _policies.Add(recomputed.Key, [.. recomputed.Distinct()]);
        }
    }

    /// <summary>The local that stands for a buffer under a policy; null: none.</summary>
    public string? Of(string buffer, Checkpointing policy)
    {
        bool recomputed = buffer.EndsWith(Suffix, StringComparison.Ordinal);
        string name = recomputed ? buffer.Substring(0, buffer.Length - Suffix.Length) : buffer;
        return _policies.TryGetValue(name, out Checkpointing[]? policies) && policies.Contains(policy) == recomputed ? _names.OfBuffer(name) : null;
    }

    /// <summary>The declarations of those that lines mention.</summary>
    public IEnumerable<string> Declarations(IEnumerable<OperationLine> lines) =>
        from buffer in _policies
        let name = _names.OfBuffer(buffer.Key)
        where lines.Any(line => Regex.IsMatch(line.Call, $@"[( ]{Regex.Escape(name)}[,)]"))
        let condition = string.Join(" or ", buffer.Value.OrderBy(static policy => policy).Select(static policy => $"§Checkpointing.{policy}"))
        select $"var {name} = policy is {condition} ? act.{buffer.Key}{Suffix} : act.{buffer.Key};";
}
