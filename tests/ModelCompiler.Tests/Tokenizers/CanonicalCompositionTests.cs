using ModelCompiler.HuggingFace.Tokenizers;

namespace ModelCompiler.Tests.Tokenizers;

/// <summary>Cases of Unicode's own normalization test, chosen for what they exercise.</summary>
public class CanonicalCompositionTests
{
    [Theory]
    [InlineData("e\u0301", "\u00E9")]
    [InlineData("\u1E0A", "\u1E0A")]
    [InlineData("\u1E0C\u0307", "\u1E0C\u0307")]
    [InlineData("D\u0307\u0323", "\u1E0C\u0307")]
    [InlineData("\u1E9B\u0323", "\u1E9B\u0323")]
    [InlineData("\u212B", "\u00C5")]
    [InlineData("\u0958", "\u0915\u093C")]
    [InlineData("\u0344", "\u0308\u0301")]
    [InlineData("\uAC00\u11A8", "\uAC01")]
    [InlineData("\u1112\u1161\u11AB", "\uD55C")]
    [InlineData("\u11A8\u1161", "\u11A8\u1161")]
    [InlineData("\u0061\u0315\u0300\u05AE\u0300\u0062", "\u00E0\u05AE\u0300\u0315\u0062")]
    [InlineData("\U000110B9\U000110BA", "\U000110BA\U000110B9")]
    [InlineData("\U00011099\U000110BA", "\U0001109A")]
    [InlineData("\U0001D15E", "\U0001D157\U0001D165")]
    [InlineData("q\u0307\u0323", "q\u0323\u0307")]
    [InlineData("a\u0300\u0300", "\u00E0\u0300")]
    [InlineData("\u0C46\u0334\u0C56", "\u0C48\u0334")]
    public void Composes(string text, string expected)
    {
        Assert.Equal(expected, CanonicalComposition.Of(text));
    }
}
