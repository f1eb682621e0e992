using ModelCompiler.Compiler.Description;
using ModelCompiler.Compiler.Tests.Compiled;
using ModelCompiler.Compiler.Validation;

namespace ModelCompiler.Compiler.Tests.Properties;

/// <summary>
/// What the properties say of random descriptions, they say of every two features together. Two features of one kind of sublayer have to
/// meet in one sublayer.
/// </summary>
public class PairCoverageTests
{
    [Fact]
    public void Every_possible_pair_of_features_occurs_and_no_other()
    {
        var found = Batches.Default.SelectMany(Pairs).ToHashSet();
        (Feature First, Feature Second)[] all =
            [.. Feature.All.SelectMany((first, i) => Feature.All.Skip(i + 1).Where(second => second.Factor != first.Factor).Select(second => (first, second)))];

        string[] missing = [.. all.Where(pair => !found.Contains(pair) && !Impossible(pair.First, pair.Second)).Select(pair => $"{pair.First} with {pair.Second}")];
        string[] odd = [.. found.Where(pair => Impossible(pair.First, pair.Second)).Select(pair => $"{pair.First} with {pair.Second}")];
        Assert.True(missing.Length == 0, $"{missing.Length} of {all.Length} pairs never occur:\n{string.Join('\n', missing)}");
        Assert.True(odd.Length == 0, $"called impossible, but occur:\n{string.Join('\n', odd)}");
        Assert.Empty(found.Except(all));
    }

    [Fact]
    public void Every_description_is_valid() =>
        Assert.All(Batches.Default, spec => Assert.Empty(ArchitectureValidation.Check(spec)));

    private static IEnumerable<(Feature First, Feature Second)> Pairs(ModelSpec spec)
    {
        Feature[] whole = [.. Feature.Of(spec)];
        Feature[][] sublayers = [.. spec.Block.Sublayers.Select(sublayer => Feature.Of(sublayer).ToArray())];
        return Among(whole)
            .Concat(sublayers.SelectMany(Among))
            .Concat(sublayers.SelectMany(own => Between(whole, own)))
            .Concat(sublayers.Where(s => s[0].OfAttention).SelectMany(attention => sublayers.Where(s => s[0].OfFeedForward).SelectMany(other => Between(attention, other))));
    }

    private static IEnumerable<(Feature First, Feature Second)> Among(Feature[] features) =>
        features.SelectMany((first, i) => features.Skip(i + 1).Select(second => (first, second)));

    private static IEnumerable<(Feature First, Feature Second)> Between(Feature[] first, Feature[] second) =>
        first.SelectMany(_ => second, (one, other) => (one, other));

    /// <summary>Pairs that no description has.</summary>
    private static bool Impossible(Feature first, Feature second)
    {
        return Is("sublayers", "1", "attentions", "several") || Is("sublayers", "1", "feed-forwards", "several")
            || Is("attentions", "none", "feed-forwards", "none")
            || Is("attentions", "none", "attention adapter", "yes") || (first is { Factor: "attentions", Choice: "none" } && second.OfAttention)
            || Is("feed-forwards", "none", "feed-forward adapter", "yes") || (first is { Factor: "feed-forwards", Choice: "none" } && second.OfFeedForward)
            || (first is { Factor: "method", Choice: "none" } && second is { Factor: "attention adapter" or "feed-forward adapter" or "head adapter" or "dropout" or "rank stabilized", Choice: "yes" })
            || Is("method", "none", "first layer", "later")
            || Is("layers", "one", "first layer", "later")
            || Is("method", "none", "adapter layers", "yes")
            || Is("layers", "one", "adapter layers", "yes")
            || Is("rotary", "none", "rotary layers", "yes")
            || (first is { Factor: "method", Choice: not ("Lora" or "DyLora" or "Dora") } && second is { Factor: "rank stabilized", Choice: "yes" })
            || Is("rotary", "none", "rotary scaling", "Linear") || Is("rotary", "none", "rotary scaling", "Llama3");

        bool Is(string factor, string choice, string otherFactor, string otherChoice) =>
            (first, second) == (new Feature(factor, choice), new Feature(otherFactor, otherChoice));
    }
}
