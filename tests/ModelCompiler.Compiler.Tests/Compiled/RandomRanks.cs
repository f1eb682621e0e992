using ModelCompiler.Planning;

namespace ModelCompiler.Compiler.Tests.Compiled;

/// <summary>Random ranks for the methods that choose them.</summary>
internal static class RandomRanks
{
    /// <summary>The plan with a rank for every adapter, up to twice the declared one; as it is where no method of the model chooses ranks.</summary>
    public static TrainingPlan WithRandomRanks(this TrainingPlan plan, ModelTables tables, int seed)
    {
        var random = new Random(seed);
        return tables.Slots.Any(s => s.Options.AdaptiveRanks)
            ? plan with { Ranks = new RankPattern(tables, (slot, _) => tables.Slots[slot] is { Options.AdaptiveRanks: true } s ? 1 + random.Next(Math.Min(2 * s.Rank, s.MaximumRank)) : tables.Slots[slot].Rank) }
            : plan;
    }
}
