using FsCheck;
using FsCheck.Fluent;
using ModelCompiler.Adapters;

namespace ModelCompiler.Tests.Ranks;

/// <summary>The rule of LaMDA++ on shares of energy and costs written down by hand.</summary>
public class LamdaPlusPlusRanksTests
{
    private static readonly Gen<(double[] Shares, int Rank, int Maximum, int Square, int Linear)> s_cases =
        from count in Gen.Choose(1, 40)
        from different in Gen.Choose(1, 60)
        from shares in Gen.ArrayOf(Gen.Choose(0, different), count)
        from rank in Gen.Choose(1, 24)
        from beyond in Gen.Choose(0, 40)
        from square in Gen.Choose(0, 3)
        from linear in Gen.Choose(1, 300)
        select (shares.Select(s => s / (double)different).ToArray(), rank, rank + beyond, square, linear);

    [Fact]
    public void The_flattest_quarter_has_twice_the_rank_and_the_steepest_half_half_of_it() =>
        Assert.Equal([4, 16, 8, 16, 4, 4, 8, 4], LamdaPlusPlusRanks.Allocate([0.9, 0.1, 0.5, 0.2, 0.8, 0.6, 0.3, 0.7], 8, 64, r => 10 * r));

    // r² + 64 r: 1,280 at rank 16, five times 6,400. At 32, 16, 16, 8, 8 it is 6,784; 31, 30, 29, 28 take 127 + 125 + 123 + 121 away and leave
    // 112, of which a seventeenth direction takes 97.
    [Fact]
    public void Parameters_that_grow_faster_than_the_rank_are_taken_from_the_largest() =>
        Assert.Equal([8, 17, 8, 16, 28], LamdaPlusPlusRanks.Allocate([0.5, 0.2, 0.4, 0.3, 0.1], 16, 64, r => r * r + 64 * r));

    // 20, 16, 16, 8, 8 leave 12 of 80.
    [Fact]
    public void What_a_projection_cannot_take_goes_to_the_next_flattest() =>
        Assert.Equal([20, 20, 20, 12, 8], LamdaPlusPlusRanks.Allocate([0.1, 0.2, 0.3, 0.4, 0.5], 16, 20, r => r));

    [Fact]
    public void Few_layers_and_small_ranks_share_what_there_is()
    {
        Assert.Equal([8], LamdaPlusPlusRanks.Allocate([0.3], 8, 64, r => r));
        Assert.Equal([4, 12], LamdaPlusPlusRanks.Allocate([0.9, 0.1], 8, 64, r => r));
        Assert.Equal([1, 1, 1, 1, 1], LamdaPlusPlusRanks.Allocate([0.1, 0.2, 0.3, 0.4, 0.5], 1, 64, r => r));
        Assert.Equal([4, 2, 1, 1], LamdaPlusPlusRanks.Allocate([0.5, 0.5, 0.5, 0.5], 2, 64, r => r));
    }

    [Fact]
    public void Ranks_spend_the_budget_and_follow_flatness() => Check.One(Config.QuickThrowOnFailure.WithMaxTest(500), Prop.ForAll(s_cases.ToArbitrary(), c =>
    {
        long Parameters(int rank) => (long)c.Square * rank * rank + (long)c.Linear * rank;
        int[] ranks = LamdaPlusPlusRanks.Allocate(c.Shares, c.Rank, c.Maximum, Parameters);
        long left = ranks.Length * Parameters(c.Rank) - ranks.Sum(Parameters);
        int highest = Math.Min(2 * c.Rank, c.Maximum);
        Assert.Equal(c.Shares.Length, ranks.Length);
        Assert.True(left >= 0);
        Assert.All(ranks, rank => Assert.InRange(rank, Math.Max(1, c.Rank / 2), highest));
        Assert.All(ranks, rank => Assert.True(rank == highest || Parameters(rank + 1) - Parameters(rank) > left));
        Assert.True(ranks.Sum() <= ranks.Length * c.Rank);
        for (int i = 0; i < ranks.Length; i++)
        {
            Assert.All(Enumerable.Range(0, ranks.Length), j => Assert.True(c.Shares[i] >= c.Shares[j] || ranks[i] >= ranks[j]));
        }
    }));
}
