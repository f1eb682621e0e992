namespace ModelCompiler.HuggingFace.Tokenizers;

/// <summary>
/// Finds which two pieces of a SentencePiece vocabulary make a third. Pieces in alphabetical order give each the chain of pieces that it
/// begins with, and written backwards those that it ends with; so the time grows with the file and not with its longest piece squared.
/// </summary>
internal static class PieceMerges
{
    /// <summary>All ways to make a piece of two others, without order.</summary>
    /// <param name="pieces">Pieces that differ and are not empty.</param>
    /// <returns>Indices into <paramref name="pieces"/>.</returns>
    public static IEnumerable<(int Left, int Right, int Merged)> Of(byte[][] pieces)
    {
        int[] prefixes = LongestPrefixes(pieces);
        int[] suffixes = LongestPrefixes([.. pieces.Select(p => p.Reverse().ToArray())]);
        for (int merged = 0; merged < pieces.Length; merged++)
        {
            int length = pieces[merged].Length;
            int right = suffixes[merged];
            int[] lefts = [.. Chain(prefixes, merged).Reverse()];
            foreach (int left in lefts)
            {
                while (right >= 0 && pieces[right].Length > length - pieces[left].Length)
                {
                    right = suffixes[right];
                }

                if (right >= 0 && pieces[right].Length == length - pieces[left].Length)
                {
                    yield return (left, right, merged);
                }
            }
        }
    }

    private static IEnumerable<int> Chain(int[] prefixes, int piece)
    {
        for (int prefix = prefixes[piece]; prefix >= 0; prefix = prefixes[prefix])
        {
            yield return prefix;
        }
    }

    /// <summary>For each piece the longest other piece that it begins with, or -1.</summary>
    private static int[] LongestPrefixes(byte[][] pieces)
    {
        int[] order = [.. Enumerable.Range(0, pieces.Length)];
        Array.Sort(order, (a, b) => pieces[a].AsSpan().SequenceCompareTo(pieces[b]));
        var longest = new int[pieces.Length];
        var open = new Stack<int>();
        foreach (int piece in order)
        {
            while (open.Count > 0 && !pieces[piece].AsSpan().StartsWith(pieces[open.Peek()]))
            {
                open.Pop();
            }

            longest[piece] = open.Count > 0 ? open.Peek() : -1;
            open.Push(piece);
        }

        return longest;
    }
}
