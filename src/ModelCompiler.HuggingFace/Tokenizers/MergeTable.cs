namespace ModelCompiler.HuggingFace.Tokenizers;

/// <summary>
/// Which neighbors merge into what, and the merging itself: while any two neighbors can merge, those of the lowest rank do, the
/// leftmost first. A queue of candidates over a linked list makes that O(n log n).
/// </summary>
internal sealed class MergeTable
{
    private readonly Dictionary<long, (int Rank, int Merged)> _merges = [];

    /// <summary>Adds a merge; of two merges of one pair the later counts, as in Hugging Face's library.</summary>
    public void Add(int left, int right, int rank, int merged) => _merges[Key(left, right)] = (rank, merged);

    /// <summary>Merges in place.</summary>
    /// <returns>How many ids remain at the front of <paramref name="ids"/>.</returns>
    public int Merge(Span<int> ids)
    {
        if (ids.Length < 2)
        {
            return ids.Length;
        }

        var next = new int[ids.Length];
        var previous = new int[ids.Length];
        var candidates = new PriorityQueue<(int Left, int Right, int LeftId, int RightId), (int Rank, int Position)>();
        for (int i = 0; i < ids.Length; i++)
        {
            next[i] = i + 1 < ids.Length ? i + 1 : -1;
            previous[i] = i - 1;
            Offer(candidates, ids, i, next[i]);
        }

        while (candidates.TryDequeue(out var candidate, out _))
        {
            (int left, int right, int leftId, int rightId) = candidate;

            // Neighbors change while candidates wait; a merged-away id is -1.
            if (ids[left] != leftId || next[left] != right || ids[right] != rightId)
            {
                continue;
            }

            ids[left] = _merges[Key(leftId, rightId)].Merged;
            ids[right] = -1;
            next[left] = next[right];
            if (next[left] >= 0)
            {
                previous[next[left]] = left;
            }

            Offer(candidates, ids, previous[left], left);
            Offer(candidates, ids, left, next[left]);
        }

        int count = 0;
        for (int i = 0; i >= 0; i = next[i])
        {
            ids[count++] = ids[i];
        }

        return count;
    }

    private static long Key(int left, int right) => ((long)left << 32) | (uint)right;

    private void Offer(PriorityQueue<(int, int, int, int), (int, int)> candidates, Span<int> ids, int left, int right)
    {
        if (left >= 0 && right >= 0 && _merges.TryGetValue(Key(ids[left], ids[right]), out (int Rank, int Merged) merge))
        {
            candidates.Enqueue((left, right, ids[left], ids[right]), (merge.Rank, left));
        }
    }
}
