using System.Numerics;
using ModelCompiler.Compiler.Passes;
using ModelCompiler.Planning;

namespace ModelCompiler.Compiler.Writing;

/// <summary>One way that a layer's method runs.</summary>
/// <param name="Only">The condition, in C#, that it runs this way.</param>
/// <param name="Except">That it runs another way.</param>
internal sealed record BodyMode(string Only, string Except);

/// <summary>
/// One body for a layer's method in all variants and modes. Each keeps its own calls in its own order: calls that all make stand alone, others under the
/// condition of those that make them.
/// </summary>
internal sealed class MergedBody
{
    private readonly List<Entry> _entries = [];
    private readonly List<(BlockVariant Variant, BodyMode Mode)> _runs = [];
    private readonly BlockVariant[] _variants;
    private readonly BodyMode[] _modes;

    /// <summary>Merges bodies.</summary>
    /// <param name="bodies">The lines of each variant in each mode; of equal lines the first keeps its notes.</param>
    public MergedBody(IEnumerable<(BlockVariant Variant, BodyMode Mode, OperationLine[] Lines)> bodies)
    {
        foreach ((BlockVariant variant, BodyMode mode, OperationLine[] lines) in bodies)
        {
            Add(lines, BigInteger.One << _runs.Count);
            _runs.Add((variant, mode));
        }

        _variants = [.. _runs.Select(static run => run.Variant).Distinct().OrderBy(static variant => variant.Layers.First)];
        _modes = [.. _runs.Select(static run => run.Mode).Distinct()];
    }

    /// <summary>The lines, together where they run under one condition.</summary>
    public IReadOnlyList<OperationGroup> Groups()
    {
        BigInteger all = (BigInteger.One << _runs.Count) - 1;
        var groups = new List<OperationGroup>();
        BigInteger before = all;
        bool otherwise = false;
        for (int i = 0; i < _entries.Count;)
        {
            BigInteger runs = _entries[i].Runs;
            OperationLine[] lines = [.. _entries.Skip(i).TakeWhile(entry => entry.Runs == runs).Select(static entry => entry.Line)];
            i += lines.Length;

            // Behind an else there is no other.
            otherwise = !otherwise && before != all && (before ^ runs) == all;
            groups.Add(new OperationGroup(runs == all ? null : Condition(runs), lines, otherwise));
            before = runs;
        }

        return groups;
    }

    /// <summary>Puts a body's lines among those there are, along the longest sequence that both have.</summary>
    private void Add(OperationLine[] lines, BigInteger run)
    {
        int[,] common = new int[_entries.Count + 1, lines.Length + 1];
        for (int i = _entries.Count - 1; i >= 0; i--)
        {
            for (int j = lines.Length - 1; j >= 0; j--)
            {
                common[i, j] = _entries[i].Line.Call == lines[j].Call ? common[i + 1, j + 1] + 1 : Math.Max(common[i + 1, j], common[i, j + 1]);
            }
        }

        var merged = new List<Entry>();
        for (int i = 0, j = 0; i < _entries.Count || j < lines.Length;)
        {
            if (i < _entries.Count && j < lines.Length && _entries[i].Line.Call == lines[j].Call)
            {
                merged.Add(_entries[i] with { Runs = _entries[i].Runs | run });
                (i, j) = (i + 1, j + 1);
            }
            else if (j == lines.Length || (i < _entries.Count && common[i + 1, j] >= common[i, j + 1]))
            {
                merged.Add(_entries[i++]);
            }
            else
            {
                merged.Add(new Entry(lines[j++], run));
            }
        }

        _entries.Clear();
        _entries.AddRange(merged);
    }

    private string Condition(BigInteger runs)
    {
        string[] terms =
        [
            .. _modes.Select(mode => (Mode: mode, Layers: _variants.Where(variant => !(runs >> _runs.IndexOf((variant, mode))).IsEven).ToArray()))
                .Where(static term => term.Layers.Length > 0)
                .GroupBy(term => Layers(term.Layers))
                .Select(group => string.Join(" && ", new[] { Modes([.. group.Select(static term => term.Mode)]), group.Key }.Where(static text => text.Length > 0))),
        ];
        return terms.Length == 1 ? terms[0] : string.Join(" || ", terms.Select(static text => text.Contains("&&") ? $"({text})" : text));
    }

    private string Modes(BodyMode[] modes) =>
        modes.Length == _modes.Length ? "" : modes.Length == 1 ? modes[0].Only : _modes.Except(modes).Single().Except;

    private string Layers(BlockVariant[] variants) => variants.Length == _variants.Length
        ? ""
        : LayersText.Condition("layer.Index", LayerSet.Of(variants.SelectMany(static variant => variant.Layers)), _variants.Max(static variant => variant.Layers.Last) + 1);

    private sealed record Entry(OperationLine Line, BigInteger Runs);
}
