using System.Collections;
using System.Globalization;

namespace ModelCompiler.Planning;

/// <summary>A set of layers, in ascending order. As text it is a list of layers and ranges, both ends of which belong to it: "0..2, 5, 8..11".</summary>
public sealed class LayerSet : IReadOnlyList<int>, IEquatable<LayerSet>
{
    private const int MostLayers = 10_000;

    private readonly int[] _layers;

    private LayerSet(int[] layers) => _layers = layers;

    /// <summary>The number of layers.</summary>
    public int Count => _layers.Length;

    /// <summary>The lowest layer.</summary>
    public int First => _layers[0];

    /// <summary>The highest layer.</summary>
    public int Last => _layers[_layers.Length - 1];

    /// <summary>The layer at a place, counted from the lowest.</summary>
    public int this[int index] => _layers[index];

    /// <summary>A set of these layers, each counted once.</summary>
    public static LayerSet Of(IEnumerable<int> layers) => new([.. layers.Distinct().OrderBy(static layer => layer)]);

    /// <summary>The layers from one to another, both included.</summary>
    public static LayerSet Range(int first, int last) => new([.. Enumerable.Range(first, Math.Max(0, last - first + 1))]);

    /// <summary>Reads a set's text, of layers below 10,000.</summary>
    /// <exception cref="FormatException">It is none.</exception>
    public static LayerSet Parse(string text) =>
        (text.TrimEnd().EndsWith(".", StringComparison.Ordinal) ? null : Find(text, MostLayers)) ?? throw new FormatException($"'{text}' is no set of layers: it is a list such as \"0..2, 5, 8..11\".");

    /// <summary>Reads a set's text, where a range may also end at the model's highest layer, "8..".</summary>
    /// <param name="text">The text.</param>
    /// <param name="layers">The number of layers that the model has.</param>
    /// <returns>The set; null where the text is none, is empty, or has layers that the model has not.</returns>
    public static LayerSet? Find(string text, int layers)
    {
        var found = new List<int>();
        foreach (string part in text.Split(','))
        {
            string[] ends = part.Trim().Split([".."], StringSplitOptions.None);
            if (ends.Length > 2 || !IsLayer(ends[0], layers, out int first))
            {
                return null;
            }

            int last = ends.Length == 1 ? first : layers - 1;
            if ((ends.Length == 2 && ends[1].Length > 0 && !IsLayer(ends[1], layers, out last)) || last < first)
            {
                return null;
            }

            found.AddRange(Enumerable.Range(first, last - first + 1));
        }

        return Of(found);
    }

    /// <summary>The place of a layer, counted from the lowest; of one that is not in the set, the complement of where it would be.</summary>
    public int IndexOf(int layer) => Array.BinarySearch(_layers, layer);

    /// <summary>Whether a layer is in the set.</summary>
    public bool Contains(int layer) => IndexOf(layer) >= 0;

    /// <inheritdoc/>
    public bool Equals(LayerSet? other) => other is not null && _layers.SequenceEqual(other._layers);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as LayerSet);

    /// <inheritdoc/>
    public override int GetHashCode() => _layers.Aggregate(17, static (hash, layer) => unchecked((hash * 31) + layer));

    /// <inheritdoc/>
    public IEnumerator<int> GetEnumerator() => ((IEnumerable<int>)_layers).GetEnumerator();

    /// <inheritdoc/>
    IEnumerator IEnumerable.GetEnumerator() => _layers.GetEnumerator();

    /// <summary>The set as <see cref="Parse"/> reads it.</summary>
    public override string ToString() => string.Join(", ", Runs().Select(static run => run.First == run.Last
        ? run.First.ToString(CultureInfo.InvariantCulture)
        : FormattableString.Invariant($"{run.First}..{run.Last}")));

    /// <summary>The layers as runs without gaps.</summary>
    public IReadOnlyList<(int First, int Last)> Runs()
    {
        var runs = new List<(int First, int Last)>();
        foreach (int layer in _layers)
        {
            if (runs.Count > 0 && runs[runs.Count - 1].Last + 1 == layer)
            {
                runs[runs.Count - 1] = (runs[runs.Count - 1].First, layer);
            }
            else
            {
                runs.Add((layer, layer));
            }
        }

        return runs;
    }

    private static bool IsLayer(string text, int layers, out int layer) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out layer) && layer < layers;
}
