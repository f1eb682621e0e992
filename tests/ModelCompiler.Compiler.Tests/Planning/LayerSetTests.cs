using FsCheck;
using FsCheck.Fluent;
using ModelCompiler.Planning;

namespace ModelCompiler.Compiler.Tests.Planning;

/// <summary>Sets of layers.</summary>
public class LayerSetTests
{
    [Theory]
    [InlineData("0", "0")]
    [InlineData("0..2, 4", "0..2, 4")]
    [InlineData("4,0 ..1", null)]
    [InlineData("4,0..1", "0..1, 4")]
    [InlineData("3..", "3..4")]
    [InlineData("1..2, 2..3", "1..3")]
    [InlineData("5", null)]
    [InlineData("2..5", null)]
    [InlineData("2..1", null)]
    [InlineData("-1", null)]
    [InlineData("", null)]
    [InlineData("0,", null)]
    [InlineData("0..1..2", null)]
    [InlineData("..2", null)]
    [InlineData("one", null)]
    public void Text_is_layers_and_ranges_of_the_model(string text, string? layers) => Assert.Equal(layers, LayerSet.Find(text, layers: 5)?.ToString());

    [Theory]
    [InlineData("3..")]
    [InlineData("")]
    public void Without_a_model_a_range_must_end(string text) => Assert.Throws<FormatException>(() => LayerSet.Parse(text));

    [Fact]
    public void What_is_written_is_read_again() => Prop.ForAll(Gen.Choose(0, 40).NonEmptyListOf().ToArbitrary(), layers =>
    {
        LayerSet set = LayerSet.Of(layers);
        Assert.Equal(set, LayerSet.Parse(set.ToString()));
        Assert.Equal(layers.Distinct().Order(), set);
        Assert.All(Enumerable.Range(0, 41), layer => Assert.Equal(layers.Contains(layer), set.Contains(layer)));
        Assert.All(set, layer => Assert.Equal(layer, set[set.IndexOf(layer)]));
        Assert.Equal(set.Count, set.Runs().Sum(run => run.Last - run.First + 1));
    }).QuickCheckThrowOnFailure();
}
