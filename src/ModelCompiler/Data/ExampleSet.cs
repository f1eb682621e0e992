using System.Collections;

namespace ModelCompiler.Data;

/// <summary>
/// Examples in little memory: four bytes a token, for targets are the next tokens. An <see cref="Example"/> is made when one is asked for.
/// </summary>
public sealed class ExampleSet : IReadOnlyList<Example>
{
    /// <summary>Header, length and padding of an array.</summary>
    private const int ArrayOverhead = 24;

    /// <summary>A reference and two numbers.</summary>
    private const int EntrySize = 16;

    private readonly Entry[] _entries;

    internal ExampleSet(IEnumerable<Entry> entries, ExampleReport report) => (_entries, Report) = ([.. entries], report);

    /// <summary>What became of the rows.</summary>
    public ExampleReport Report { get; }

    /// <summary>Bytes that the set holds.</summary>
    public long Bytes => ArrayOverhead + _entries.Sum(e => (long)EntrySize + ArrayOverhead + sizeof(int) * e.Ids.Length);

    /// <inheritdoc/>
    public int Count => _entries.Length;

    /// <inheritdoc/>
    public Example this[int index]
    {
        get
        {
            var (tokens, targets) = (new int[LengthOf(index)], new int[LengthOf(index)]);
            Fill(index, tokens, targets);
            return new Example(tokens, targets);
        }
    }

    /// <summary>A set of these examples.</summary>
    public static ExampleSet Of(IEnumerable<Example> examples) => examples as ExampleSet ?? new ExampleSet(examples.Select(Entry.Of), ExampleReport.None);

    /// <summary>The examples at these places; the report stays that of all.</summary>
    public ExampleSet At(IEnumerable<int> places) => new(places.Select(i => _entries[i]), Report);

    /// <inheritdoc/>
    public IEnumerator<Example> GetEnumerator() => Enumerable.Range(0, Count).Select(i => this[i]).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>Positions of an example.</summary>
    internal int LengthOf(int index) => _entries[index].Length;

    /// <summary>Positions of an example that count.</summary>
    internal int TargetCountOf(int index) => _entries[index].TargetCount;

    /// <summary>Writes an example to the start of the spans.</summary>
    internal void Fill(int index, Span<int> tokens, Span<int> targets)
    {
        Entry entry = _entries[index];
        int length = entry.Length;
        entry.Ids.AsSpan(0, length).CopyTo(tokens);
        if (entry.FirstTarget < 0)
        {
            entry.Ids.AsSpan(length).CopyTo(targets);
            return;
        }

        targets[..entry.FirstTarget].Fill(Example.IgnoreIndex);
        entry.Ids.AsSpan(entry.FirstTarget + 1).CopyTo(targets[entry.FirstTarget..]);
    }

    /// <summary>An example as it is held.</summary>
    /// <param name="Ids">The tokens and the last target; tokens and then targets where the targets are not the next tokens.</param>
    /// <param name="FirstTarget">The first position that counts, as do all after it; -1 where targets are held too.</param>
    /// <param name="TargetCount">Positions that count.</param>
    internal readonly record struct Entry(int[] Ids, int FirstTarget, int TargetCount)
    {
        public int Length => FirstTarget < 0 ? Ids.Length / 2 : Ids.Length - 1;

        /// <summary>Tokens of which the first <paramref name="given"/> are not learned.</summary>
        public static Entry Of(ReadOnlySpan<int> ids, int given)
        {
            int first = Math.Clamp(given - 1, 0, ids.Length - 1);
            return new Entry(ids.ToArray(), first, ids.Length - 1 - first);
        }

        public static Entry Of(Example example)
        {
            (int[] tokens, int[] targets) = (example.Tokens, example.Targets);
            if (tokens.Length != targets.Length)
            {
                throw new ArgumentException($"an example has {tokens.Length} tokens and {targets.Length} targets; it needs one for each", nameof(example));
            }

            int first = targets.AsSpan().IndexOfAnyExcept(Example.IgnoreIndex);
            bool next = first >= 0 && targets.AsSpan(first..^1).SequenceEqual(tokens.AsSpan((first + 1)..)) && targets[^1] >= 0;
            return next
                ? new Entry([.. tokens, targets[^1]], first, targets.Length - first)
                : new Entry([.. tokens, .. targets], -1, example.TargetCount);
        }
    }
}
