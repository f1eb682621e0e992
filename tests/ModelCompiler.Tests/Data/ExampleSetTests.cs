using ModelCompiler.Data;

namespace ModelCompiler.Tests.Data;

public class ExampleSetTests
{
    private const int X = Example.IgnoreIndex;

    private static readonly Example[] s_examples =
    [
        new([1, 2, 3], [2, 3, 4]),
        new([1, 2, 3], [X, X, 4]),
        new([1, 2, 3], [X, X, X]),
        new([1, 2, 3], [X, 3, X]),
        new([1, 2, 3], [9, 8, 7]),
        new([1, 2, 3], [X, 8, 4]),
        new([5], [6]),
        new([5], [X]),
        new([], []),
    ];

    [Fact]
    public void Examples_come_out_as_they_went_in()
    {
        ExampleSet set = ExampleSet.Of(s_examples);

        Assert.Equal(s_examples.Select(e => e.Tokens), set.Select(e => e.Tokens));
        Assert.Equal(s_examples.Select(e => e.Targets), set.Select(e => e.Targets));
        Assert.Equal(s_examples.Select(e => e.TargetCount), Enumerable.Range(0, set.Count).Select(set.TargetCountOf));
        Assert.Equal(s_examples.Select(e => e.Tokens.Length), Enumerable.Range(0, set.Count).Select(set.LengthOf));
        Assert.Same(set, ExampleSet.Of(set));
        Assert.Equal([[5], [1, 2, 3]], set.At([6, 0]).Select(e => e.Tokens));
        Assert.Throws<ArgumentException>(() => ExampleSet.Of([new([1, 2], [3])]));
    }

    /// <summary>What making the set allocates, and it makes nothing but what it keeps: the tokens four bytes each.</summary>
    [Fact]
    public void Its_size_is_what_it_holds()
    {
        Example[] examples = [.. Enumerable.Range(0, 2000).Select(i => new Example([.. Enumerable.Range(i, 199)], [.. Enumerable.Range(i + 1, 199)]))];
        ExampleSet.Of(examples);
        long before = GC.GetAllocatedBytesForCurrentThread();
        ExampleSet set = ExampleSet.Of(examples);
        long held = GC.GetAllocatedBytesForCurrentThread() - before;

        Assert.InRange(set.Bytes, 2000 * 200 * 4, 2000 * 200 * 4 * 1.06);
        Assert.InRange(held, set.Bytes, 1.01 * set.Bytes);
    }
}
