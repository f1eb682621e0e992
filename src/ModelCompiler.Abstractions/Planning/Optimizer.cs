namespace ModelCompiler.Planning;

/// <summary>How trainable parameters are updated, and where the state that this needs lies.</summary>
public enum Optimizer
{
    /// <summary>AdamW with both moments in the compute type: 8 bytes a parameter in float32.</summary>
    AdamW,

    /// <summary>AdamW with both moments in 8 bits, blockwise (Dettmers et al. 2022): 2.03125 bytes a parameter. Small parameters keep full moments.</summary>
    AdamW8Bit,

    /// <summary>
    /// <see cref="AdamW"/>, to the bit, with the moments of large parameters in host memory outside the arena. They pass through two buffers
    /// of the arena, a page at a time: while one page is updated the next comes in (QLoRA's paged optimizer, made explicit).
    /// </summary>
    PagedAdamW,
}

/// <summary>An <see cref="Optimizer"/>: a rule, and how large states are kept. All that planner, search and command line know of it.</summary>
/// <param name="Optimizer">The optimizer.</param>
/// <param name="Option">Its name on the command line.</param>
/// <param name="Rule">How parameters are updated.</param>
/// <param name="Storage">How the states of large parameters are kept; those of small ones are <see cref="MomentStorage.Full"/>.</param>
/// <param name="Remark">What a user of the command line should know; empty: nothing.</param>
/// <param name="Searched">Whether a search for the best plan may choose it.</param>
public sealed record OptimizerRule(
    Optimizer Optimizer, string Option, UpdateRule Rule, MomentStorage Storage = MomentStorage.Full, string Remark = "", bool Searched = false)
{
    /// <summary>All optimizers, in the order of <see cref="Planning.Optimizer"/>.</summary>
    public static readonly IReadOnlyList<OptimizerRule> All =
    [
        new(Optimizer.AdamW, "adamw", UpdateRule.AdamW, Searched: true),
        new(Optimizer.AdamW8Bit, "adamw8bit", UpdateRule.AdamW, MomentStorage.Blockwise, "moments in 8 bits", Searched: true),
        new(Optimizer.PagedAdamW, "paged", UpdateRule.AdamW, MomentStorage.Paged, "large moments in host memory", Searched: true),
    ];

    /// <summary>The rule of an optimizer.</summary>
    /// <exception cref="ArgumentException">There is no such optimizer.</exception>
    public static OptimizerRule Of(Optimizer optimizer) =>
        All.FirstOrDefault(rule => rule.Optimizer == optimizer) ?? throw new ArgumentException($"there is no optimizer {(int)optimizer}", nameof(optimizer));

    /// <summary>Those that a search tries, the exact ones first.</summary>
    /// <param name="hostMemory">Whether the arena is host memory itself: paging to it frees nothing.</param>
    internal static IEnumerable<OptimizerRule> SearchedOn(bool hostMemory) => All
        .Where(rule => rule.Searched && !(hostMemory && rule.Storage == MomentStorage.Paged))
        .OrderBy(static rule => rule.Storage == MomentStorage.Blockwise);
}
