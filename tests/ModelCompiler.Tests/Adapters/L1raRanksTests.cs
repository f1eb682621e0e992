using FsCheck;
using FsCheck.Fluent;
using ModelCompiler.Adapters;

namespace ModelCompiler.Tests.Adapters;

/// <summary>What one look at the gates decides, by hand and for random gates.</summary>
public class L1raRanksTests
{
    private static readonly Func<float, bool> IsDead = gate => gate <= 1e-6f;

    [Fact]
    public void Dead_directions_go_and_the_adapters_whose_least_gate_is_greatest_get_their_ranks_in_turn()
    {
        // Four ranks are free: adapter 2 (least gate 0.6) and then adapter 1 (0.5) take two each; adapter 0 lost some and gets none.
        L1raRanks ranks = L1raRanks.Decide([[0, 1, 0, 0.3f, 0, 0], [0.9f, 0.5f], [0.6f, 1]], [8, 8, 8], 0, IsDead, reassign: true, excludePruned: true);

        Assert.Equal([1, 3], ranks.Kept[0]);
        Assert.Equal([2, 4, 4], ranks.Ranks);
        Assert.Equal(0, ranks.Spare);

        // With three, the first in the order has one more.
        Assert.Equal([3, 3, 4], L1raRanks.Decide([[0, 1, 0, 0.3f, 0, 0.2f], [0.9f, 0.5f], [0.6f, 1]], [8, 8, 8], 0, IsDead, reassign: true, excludePruned: true).Ranks);
    }

    [Fact]
    public void An_adapter_keeps_its_last_direction_and_nobody_grows_above_the_maximum()
    {
        L1raRanks ranks = L1raRanks.Decide([[0, 0, 0], [1, 1]], [4, 3], 0, IsDead, reassign: true, excludePruned: true);

        Assert.Equal([2], ranks.Kept[0]);
        Assert.Equal([1, 3], ranks.Ranks);
        Assert.Equal(1, ranks.Spare);

        // What nobody could take is handed out when somebody can.
        Assert.Equal([3, 3], L1raRanks.Decide([[0.5f, 1], [1, 1, 1]], [4, 3], ranks.Spare, IsDead, reassign: true, excludePruned: true).Ranks);
    }

    [Fact]
    public void Pruned_adapters_come_last_where_they_are_not_excluded()
    {
        L1raRanks ranks = L1raRanks.Decide([[0, 0, 1], [0.2f]], [8, 2], 0, IsDead, reassign: true, excludePruned: false);

        Assert.Equal([2, 2], ranks.Ranks);
        Assert.False(L1raRanks.Decide([[1, 1], [1]], [8, 8], 0, IsDead, reassign: true, excludePruned: true).Changes);
        Assert.True(L1raRanks.Decide([[1, 0], [1]], [8, 8], 0, IsDead, reassign: false, excludePruned: true).Changes);
    }

    [Fact]
    public void The_sum_stays_while_anyone_can_grow() => Prop.ForAll(
        Gen.Choose(0, 1000).ListOf(4).ListOf(5).ToArbitrary(),
        adapters =>
        {
            float[][] gates = [.. adapters.Select(a => a.Select(g => g < 400 ? 0 : g / 1000f).ToArray())];
            L1raRanks ranks = L1raRanks.Decide(gates, [6, 6, 6, 6, 6], 0, IsDead, reassign: true, excludePruned: true);
            int total = ranks.Ranks.Sum() + ranks.Spare;
            bool full = Enumerable.Range(0, 5).All(i => gates[i].Any(g => IsDead(g)) || ranks.Ranks[i] == 6);
            return total == 20 && (ranks.Spare == 0 || full) && ranks.Ranks.All(r => r is >= 1 and <= 6)
                && ranks.Kept.Zip(ranks.Ranks).All(a => a.First.Length <= a.Second)
                && ranks.Kept.Select((k, i) => k.Length == 1 || k.All(j => !IsDead(gates[i][j]))).All(alive => alive);
        }).QuickCheckThrowOnFailure();
}
