using ModelCompiler.HuggingFace.Tokenizers;
using ModelCompiler.Tokenizers;

namespace ModelCompiler.Tests.Tokenizers;

/// <summary>Words that Hugging Face's tokenizers 0.22 cuts.</summary>
public class SplitBehaviorTests
{
    [Theory]
    [InlineData("Isolated", false, "a|,|,|b|,|c|,")]
    [InlineData("Isolated", true, "a|,|,|b|,|c|,")]
    [InlineData("Removed", false, "a|b|c")]
    [InlineData("Removed", true, ",|,|,|,")]
    [InlineData("MergedWithPrevious", false, "a,|,|b,|c,")]
    [InlineData("MergedWithPrevious", true, "a|,|,b|,c|,")]
    [InlineData("MergedWithNext", false, "a|,|,b|,c|,")]
    [InlineData("MergedWithNext", true, "a,|,|b,|c,")]
    [InlineData("Contiguous", false, "a|,,|b|,|c|,")]
    [InlineData("Contiguous", true, "a|,,|b|,|c|,")]
    public void Matches_become_what_the_behavior_says(string behavior, bool inverted, string words)
    {
        const string Text = "a,,b,c,";
        var preTokenizer = new PreTokenizer([new SplitStep(",", Enum.Parse<SplitBehavior>(behavior), inverted)], "");

        Assert.Equal(words, string.Join("|", preTokenizer.Split(Text).Select(r => Text[r])));
    }

    [Fact]
    public void What_is_removed_is_not_encoded()
    {
        const string Split = """{"type":"Split","pattern":{"String":"."},"behavior":"Removed","invert":false}""";
        ByteLevelBpe tokenizer = SmallTokenizer.Load(preTokenizer: $$"""{"type":"Sequence","pretokenizers":[{{Split}},{{SmallTokenizer.ByteLevel}}]}""");

        Assert.Equal([0, 1, 2], tokenizer.Encode("a..b.c"));
    }

    [Theory]
    [InlineData("""{"type":"Split","pattern":{"String":"a"},"behavior":"Merged"}""", "'Merged'")]
    [InlineData("""{"type":"Split","pattern":{"String":"a"},"behavior":"1"}""", "'1'")]
    [InlineData("""{"type":"Punctuation","behavior":"Isolated"}""", "'Punctuation'")]
    public void Other_behaviors_and_steps_are_refused_by_name(string step, string expected)
    {
        string json = $$"""{"type":"Sequence","pretokenizers":[{{step}},{{SmallTokenizer.ByteLevel}}]}""";

        Assert.Contains(expected, Assert.Throws<TokenizerException>(() => SmallTokenizer.Load(preTokenizer: json)).Message);
    }

    [Fact]
    public void A_step_after_the_bytes_is_refused()
    {
        string json = $$"""{"type":"Sequence","pretokenizers":[{{SmallTokenizer.ByteLevel}},{"type":"Digits","individual_digits":true}]}""";

        Assert.Contains("'Digits' after ByteLevel", Assert.Throws<TokenizerException>(() => SmallTokenizer.Load(preTokenizer: json)).Message);
    }
}
