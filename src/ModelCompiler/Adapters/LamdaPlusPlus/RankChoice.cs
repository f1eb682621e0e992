using ModelCompiler.Models;
using ModelCompiler.Planning;

namespace ModelCompiler.Adapters;

/// <summary>
/// Ranks that a method chooses before training from the weights of the base, without data: LaMDA++. They belong into the plan:
/// <c>new TrainingPlan { Ranks = RankChoice.FromBase(Mine.Tables, weights) }</c>. A saved adapter says its own.
/// </summary>
public abstract class RankChoice
{
    /// <summary>All methods that choose so.</summary>
    private static readonly RankChoice[] s_all = [new LamdaPlusPlusRanks()];

    /// <summary>The options of the method.</summary>
    protected abstract Type Options { get; }

    /// <summary>How many adapters of a model have ranks that are chosen from the base; 0: <see cref="FromBase"/> gives null.</summary>
    public static int Count(ModelTables tables)
    {
        ArgumentNullException.ThrowIfNull(tables);
        return tables.Slots.Where(s => Find(s) is not null).Sum(s => tables.LayersOf(s).Length);
    }

    /// <summary>
    /// The rank of every adapter; where the method does not choose, the uniform one. Weights are read one after the other. A weight's spectrum is
    /// kept in the cache under a hash of its values, so that only the first choice over a base costs a singular value decomposition of each.
    /// </summary>
    /// <param name="tables">The model.</param>
    /// <param name="weights">The weights of the base.</param>
    /// <param name="options">What the recipe does not say.</param>
    /// <returns>The ranks; null where no method of the model chooses.</returns>
    /// <exception cref="ModelCompilerException">The base is absent, damaged or of another model.</exception>
    /// <exception cref="ArgumentException">The uniform rank is out of range for a projection.</exception>
    /// <exception cref="OperationCanceledException">It was canceled.</exception>
    public static RankPattern? FromBase(ModelTables tables, IBaseWeights weights, RankChoiceOptions? options = null)
    {
        options ??= new RankChoiceOptions();
        if (Count(tables) == 0)
        {
            return null;
        }

        Sizes uniform = new TrainingPlan { Rank = options.Rank }.SizesFor(tables);
        var spectra = new BaseSpectra(tables, weights, options);
        var chosen = new Dictionary<(int Slot, int Layer), int>();
        foreach ((int index, AdapterSlot slot) in tables.Slots.Index())
        {
            int rank = uniform.Ranks[index];
            int[] layers = tables.LayersOf(slot);
            int[] ranks = Find(slot)?.Choose(
                [.. layers.Select(layer => spectra.Of(slot, layer, rank))], rank, slot.MaximumRank, r => tables.AdapterParameters(index, r))
                ?? [.. layers.Select(_ => rank)];
            for (int i = 0; i < layers.Length; i++)
            {
                chosen.Add((index, layers[i]), ranks[i]);
            }
        }

        return new RankPattern(tables, (slot, layer) => chosen[(slot, layer)]);
    }

    /// <summary>The ranks of one projection's adapters in its layers.</summary>
    /// <param name="spectra">The spectra of their weights, of <paramref name="rank"/> values at least.</param>
    /// <param name="rank">The uniform rank.</param>
    /// <param name="maximum">The largest that the projection allows.</param>
    /// <param name="parameters">Trainable parameters of one adapter at a rank.</param>
    private protected abstract int[] Choose(IReadOnlyList<Spectrum> spectra, int rank, int maximum, Func<int, long> parameters);

    private static RankChoice? Find(AdapterSlot slot) => s_all.FirstOrDefault(choice => choice.Options == slot.Options.GetType());
}
