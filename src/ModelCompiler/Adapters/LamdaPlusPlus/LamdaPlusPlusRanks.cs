namespace ModelCompiler.Adapters;

/// <summary>
/// LaMDA++'s ranks, from the normalized spectra of the weights of one projection in all layers (Azizi et al. 2024). The paper's abstract names
/// the idea; this rule is our own reconstruction of it.
/// </summary>
internal sealed class LamdaPlusPlusRanks : RankChoice
{
    /// <inheritdoc/>
    protected override Type Options => typeof(LamdaPlusPlusOptions);

    /// <summary>
    /// Ranks by the parts E(r) of the weights' energies that r directions hold. The quarter with the smallest parts, the flattest spectra, gets
    /// 2 r, the half with the largest r / 2, the rest r. Then, while that has more parameters than r everywhere, one rank at a time is taken from
    /// the largest, the steepest of equals; what is left over goes one rank at a time to the flattest that is below 2 r and can have it.
    /// Flatter ones never have less, and none could have one more.
    /// </summary>
    /// <param name="shares">E(r) of each layer; of equal ones the lower layer counts as flatter.</param>
    /// <param name="rank">r.</param>
    /// <param name="maximum">The largest rank that the projection allows, at least r.</param>
    /// <param name="parameters">Parameters of one adapter at a rank; more at a larger one.</param>
    public static int[] Allocate(IReadOnlyList<double> shares, int rank, int maximum, Func<int, long> parameters)
    {
        int count = shares.Count;
        (int lowest, int highest) = (Math.Max(1, rank / 2), Math.Min(2 * rank, maximum));
        int[] flattestFirst = [.. Enumerable.Range(0, count).OrderBy(i => shares[i])];
        int[] ranks = [.. Enumerable.Range(0, count).Select(place => place < count / 4 ? highest : place < count - count / 2 ? rank : lowest)];
        long left = count * parameters(rank) - ranks.Sum(parameters);
        long More(int place) => parameters(ranks[place] + 1) - parameters(ranks[place]);
        while (left < 0)
        {
            int place = Array.LastIndexOf(ranks, ranks[0]);
            ranks[place]--;
            left += More(place);
        }

        bool CanRise(int place) => ranks[place] < highest && (place == 0 || ranks[place] < ranks[place - 1]) && More(place) <= left;
        while (Enumerable.Range(0, count).Where(CanRise).Select(static place => (int?)place).FirstOrDefault() is { } place)
        {
            left -= More(place);
            ranks[place]++;
        }

        var byLayer = new int[count];
        for (int place = 0; place < count; place++)
        {
            byLayer[flattestFirst[place]] = ranks[place];
        }

        return byLayer;
    }

    /// <inheritdoc/>
    private protected override int[] Choose(IReadOnlyList<Spectrum> spectra, int rank, int maximum, Func<int, long> parameters) =>
        Allocate([.. spectra.Select(s => s.Share(rank))], rank, maximum, parameters);
}
