using System.Text;
using System.Text.RegularExpressions;

namespace ModelCompiler.CommandLine.Quickstart.Documentation;

/// <summary>
/// Divides members so that the held-out ones are honest: overloads stay together, the division depends on names alone and not on the
/// machine, and what differs from a training summary in names only is not counted as unseen.
/// </summary>
internal static partial class DocumentationSplit
{
    private const ulong FnvOffset = 14_695_981_039_346_656_037;
    private const ulong FnvPrime = 1_099_511_628_211;

    /// <param name="members">All members, each ID once.</param>
    /// <param name="heldOutPercent">Percent of groups to hold out.</param>
    public static DocumentationCorpus Divide(IReadOnlyList<DocumentedMember> members, int heldOutPercent)
    {
        HashSet<string> typeNames = [.. members.Where(m => m.Id.StartsWith("T:", StringComparison.Ordinal)).Select(m => MemberId.SimpleName(m.Id))];
        ILookup<bool, DocumentedMember> sides = members.ToLookup(m => Hash(MemberId.Group(m.Id)) % 100 < (ulong)heldOutPercent);
        DocumentedMember[] training = [.. sides[false]];
        var learned = new HashSet<string>();
        DocumentedMember[] distinct = [.. training.Where(m => learned.Add(Mask(m.Summary, typeNames)))];
        DocumentedMember[] heldOut = [.. sides[true].Where(m => !learned.Contains(Mask(m.Summary, typeNames)))];
        return new DocumentationCorpus(training, distinct, heldOut, sides[true].Count() - heldOut.Length);
    }

    /// <summary>A summary without what only names: types, and words that no prose has (inner capitals, digits, underscores),
    /// without case and final full stop.</summary>
    public static string Mask(string summary, IReadOnlySet<string> typeNames) =>
        Word().Replace(summary, word => typeNames.Contains(word.Value) || Identifier().IsMatch(word.ValueSpan) ? "#" : word.Value.ToLowerInvariant()).TrimEnd('.', ' ');

    /// <summary>FNV-1a over UTF-8.</summary>
    public static ulong Hash(string text)
    {
        ulong hash = FnvOffset;
        foreach (byte value in Encoding.UTF8.GetBytes(text))
        {
            hash = (hash ^ value) * FnvPrime;
        }

        return hash;
    }

    [GeneratedRegex(@"\w+", RegexOptions.CultureInvariant)]
    private static partial Regex Word();

    [GeneratedRegex(@"[0-9_]|.[A-Z]", RegexOptions.CultureInvariant)]
    private static partial Regex Identifier();
}
