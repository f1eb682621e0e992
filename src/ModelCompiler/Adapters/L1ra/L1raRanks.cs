namespace ModelCompiler.Adapters;

/// <summary>
/// What one look at the gates decides (Singh et al. 2025, as their published code has it): which directions of each adapter stay, and the ranks that
/// adapters have afterwards.
/// </summary>
/// <param name="Kept">The directions that stay, adapter by adapter.</param>
/// <param name="Ranks">The ranks afterwards, adapter by adapter; at least as many as stay.</param>
/// <param name="Spare">Ranks that no adapter could take; they are handed out when one can.</param>
internal sealed record L1raRanks(int[][] Kept, int[] Ranks, int Spare)
{
    /// <summary>Whether anything changes.</summary>
    public bool Changes => Kept.Zip(Ranks).Any(a => a.First.Length != a.Second) || Pruned;

    private bool Pruned { get; init; }

    /// <summary>Prunes and, where asked to, reassigns.</summary>
    /// <param name="gates">The gates of each adapter.</param>
    /// <param name="maxima">The largest rank of each adapter.</param>
    /// <param name="spare">Ranks that were left over before.</param>
    /// <param name="isDead">Whether a gate's direction goes.</param>
    /// <param name="reassign">Whether spare ranks are handed out.</param>
    /// <param name="excludePruned">Whether adapters that lose a direction now get none.</param>
    public static L1raRanks Decide(float[][] gates, int[] maxima, int spare, Func<float, bool> isDead, bool reassign, bool excludePruned)
    {
        var kept = new int[gates.Length][];
        var pruned = new bool[gates.Length];
        for (int i = 0; i < gates.Length; i++)
        {
            int[] alive = [.. Enumerable.Range(0, gates[i].Length).Where(j => !isDead(gates[i][j]))];
            pruned[i] = alive.Length < gates[i].Length;

            // An adapter keeps one direction, the last, even where all its gates are dead.
            kept[i] = alive.Length > 0 ? alive : [gates[i].Length - 1];
            spare += gates[i].Length - kept[i].Length;
        }

        int[] ranks = [.. kept.Select(k => k.Length)];
        if (reassign)
        {
            // The adapters whose least gate is most in use come first.
            int[] candidates = [.. Enumerable.Range(0, gates.Length).Where(i => !excludePruned || !pruned[i]).OrderByDescending(i => gates[i].Min())];
            while (spare > 0 && candidates.Any(i => ranks[i] < maxima[i]))
            {
                foreach (int i in candidates.Where(i => ranks[i] < maxima[i]))
                {
                    if (spare > 0)
                    {
                        ranks[i]++;
                        spare--;
                    }
                }
            }
        }

        return new L1raRanks(kept, ranks, spare) { Pruned = kept.Zip(gates).Any(a => a.First.Length < a.Second.Length) };
    }
}
