using FsCheck;
using FsCheck.Fluent;
using ModelCompiler.Data;

namespace ModelCompiler.Tests.Data;

public class BatchesTests
{
    [Fact]
    public void An_epoch_holds_every_example_once()
    {
        Check.One(Config.QuickThrowOnFailure, Prop.ForAll(Gen.Choose(1, 40).ToArbitrary(), Gen.Choose(1, 7).ToArbitrary(), Gen.Choose(0, 5).ToArbitrary(), (count, batch, epoch) =>
        {
            var batches = new Batches(Examples(count), batch, 6, seed: 3);
            return Enumerable.Range(0, (int)batches.PerEpoch).SelectMany(i => Firsts(batches, epoch * batches.PerEpoch + i)).Order().SequenceEqual(Enumerable.Range(1, count));
        }));
    }

    [Fact]
    public void A_batch_depends_on_index_and_seed_alone()
    {
        var forward = new Batches(Examples(23), 4, 6, seed: 9);
        var anywhere = new Batches(Examples(23), 4, 6, seed: 9);
        int[][] all = [.. Enumerable.Range(0, 30).Select(i => Firsts(forward, i))];

        foreach (int index in new[] { 29, 3, 17, 0, 28 })
        {
            Assert.Equal(all[index], Firsts(anywhere, index));
        }
    }

    [Fact]
    public void Epochs_and_seeds_differ()
    {
        var one = new Batches(Examples(50), 50, 6, seed: 1);
        var two = new Batches(Examples(50), 50, 6, seed: 2);

        Assert.NotEqual(Firsts(one, 0), Firsts(one, 1));
        Assert.NotEqual(Firsts(one, 1), Firsts(two, 1));
    }

    [Fact]
    public void Positions_are_uniform()
    {
        var batches = new Batches(Examples(5), 1, 6, seed: 4);
        var seen = new int[6];
        for (int epoch = 1; epoch <= 5000; epoch++)
        {
            seen[Firsts(batches, epoch * 5)[0]]++;
        }

        Assert.All(seen[1..], n => Assert.InRange(n, 900, 1100));
    }

    [Fact]
    public void The_longest_example_is_in_the_first_batch()
    {
        Example[] examples = [.. Enumerable.Range(1, 100).Select(i => Make(i, i == 77 ? 6 : 2))];

        Assert.Equal(77, Firsts(new Batches(examples, 2, 6, seed: 5), 0)[0]);
    }

    [Fact]
    public void Without_a_seed_the_order_stays()
    {
        var batches = new Batches(Examples(5), 2, 6, seed: null);

        Assert.Equal([[1, 2], [3, 4], [5], [1, 2]], Enumerable.Range(0, 4).Select(i => Firsts(batches, i)));
    }

    /// <summary>The order of an epoch is that of the seed alone, and no step goes on into the next epoch.</summary>
    [Fact]
    public void Steps_have_the_same_examples_however_a_batch_is_divided()
    {
        foreach ((int count, int rows) in new[] { (7, 4), (5, 12), (24, 12), (13, 12), (1, 12), (25, 6) })
        {
            int[][] whole = Steps(count, rows, 1);
            Assert.Equal(whole, Enumerable.Range(0, 9).Select(step => Order(count).Skip(step % PerEpoch(count, rows) * rows + step / PerEpoch(count, rows) * count)
                .Take(Math.Min(rows, count - step % PerEpoch(count, rows) * rows)).ToArray()));
            foreach (int accumulate in Enumerable.Range(2, rows - 1).Where(a => rows % a == 0))
            {
                Assert.Equal(whole, Steps(count, rows / accumulate, accumulate));
            }
        }

        static int PerEpoch(int count, int rows) => (count + rows - 1) / rows;

        static int[] Order(int count)
        {
            var ones = new Batches(Examples(count), 1, 6, seed: 3);
            return [.. Enumerable.Range(0, 9 * count).SelectMany(i => Firsts(ones, i))];
        }

        static int[][] Steps(int count, int batch, int accumulate)
        {
            var batches = new Batches(Examples(count), batch, 6, seed: 3);
            return [.. Enumerable.Range(0, 9).Select(step =>
            {
                (long first, int parts) = batches.OfStep(step, accumulate);
                return Enumerable.Range(0, parts).SelectMany(i => Firsts(batches, first + i)).ToArray();
            })];
        }
    }

    [Fact]
    public void Whole_epochs_of_steps_have_one_batch_after_the_other()
    {
        var batches = new Batches(Examples(24), 2, 6, seed: 3);

        Assert.All(Enumerable.Range(0, 20), step => Assert.Equal((4L * step, 4), batches.OfStep(step, 4)));
        Assert.Throws<ArgumentOutOfRangeException>(() => batches.OfStep(-1, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => batches.OfStep(0, 0));
    }

    [Fact]
    public void Padding_counts_for_nothing()
    {
        var batches = new Batches([new Example([7, 8], [Example.IgnoreIndex, 9]), new Example([5], [6]), new Example([4], [3])], 2, 3, seed: null);
        Span<int> ids = stackalloc int[6];
        Span<int> targets = stackalloc int[6];

        Assert.Equal(2, batches.Fill(0, ids, targets));
        Assert.Equal([7, 8, 0, 5, 0, 0], ids.ToArray());
        Assert.Equal([-100, 9, -100, 6, -100, -100], targets.ToArray());
        Assert.Equal(2, batches.TargetCount(0));
        Assert.Equal(1, batches.Fill(1, ids, targets));
        Assert.Equal([4, 0, 0, 0, 0, 0], ids.ToArray());
        Assert.Equal(1, batches.TargetCount(1));
    }

    [Fact]
    public void Nothing_is_allocated()
    {
        var batches = new Batches(Examples(100), 3, 6, seed: 1);
        var ids = new int[18];
        var targets = new int[18];
        batches.Fill(0, ids, targets);
        void FillAll()
        {
            for (int i = 0; i < 200; i++)
            {
                batches.TargetCount(i);
                batches.Fill(i, ids, targets);
            }
        }

        Assert.Equal(0, Allocations.Least(FillAll));
    }

    [Fact]
    public void Impossible_batches_are_refused()
    {
        Assert.Throws<DatasetException>(() => new Batches([], 1, 4, 0));
        Assert.Contains("example 2", Assert.Throws<DatasetException>(() => new Batches([Make(1, 2), Make(2, 5)], 1, 4, 0)).Message);
        Assert.Throws<ArgumentException>(() => new Batches(Examples(2), 1, 4, 0).Fill(0, new int[4], new int[3]));
        Assert.Throws<ArgumentOutOfRangeException>(() => new Batches(Examples(2), 1, 4, 0).TargetCount(-1));
    }

    private static Example[] Examples(int count) => [.. Enumerable.Range(1, count).Select(i => Make(i, 1 + i % 4))];

    private static Example Make(int first, int length) => new([.. Enumerable.Range(first, length)], [.. Enumerable.Range(first + 1, length)]);

    /// <summary>The first id of each example in a batch; examples start with ids from 1.</summary>
    private static int[] Firsts(Batches batches, long index)
    {
        var ids = new int[batches.BatchSize * batches.Sequence];
        batches.Fill(index, ids, new int[ids.Length]);
        return [.. ids.Where((_, i) => i % batches.Sequence == 0).Where(id => id > 0)];
    }
}
