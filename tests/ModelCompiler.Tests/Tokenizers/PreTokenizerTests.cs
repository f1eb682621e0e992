using ModelCompiler.HuggingFace.Tokenizers;
using ModelCompiler.Tokenizers;

namespace ModelCompiler.Tests.Tokenizers;

public class PreTokenizerTests
{
    [Theory]
    [InlineData(SplitPatterns.Gpt2, "a  b", "a| | b")]
    [InlineData(SplitPatterns.Gpt2, "x12 34y", "x|12| 34|y")]
    [InlineData(SplitPatterns.Gpt2, "I'LL can't", "I|'|LL| can|'t")]
    [InlineData(SplitPatterns.Qwen2, "I'LL 12\n\nx", "I|'LL| |1|2|\n\n|x")]
    [InlineData(SplitPatterns.Llama3, "12345", "123|45")]
    // Supplementary letters are letters and digits are digits, not two halves of something.
    [InlineData(SplitPatterns.Gpt2, "a\U0001D400b", "a\U0001D400b")]
    [InlineData(SplitPatterns.Gpt2, "\U0001D7CF\U0001D7D0 \U0001F642x", "\U0001D7CF\U0001D7D0| \U0001F642|x")]
    [InlineData(SplitPatterns.Qwen2, "\U0001D7CF\U0001D7D0", "\U0001D7CF|\U0001D7D0")]
    public void Words(string pattern, string text, string words)
    {
        Assert.Equal(words, string.Join("|", new PreTokenizer([SplitStep.Isolated(pattern)], "").Split(text).Select(r => text[r])));
    }

    [Fact]
    public void Patterns_cut_the_pieces_of_the_one_before()
    {
        const string text = "ab 12";

        Assert.Equal("ab| |1|2", string.Join("|", new PreTokenizer([SplitStep.Isolated(SplitPatterns.OneDigit), SplitStep.Isolated(SplitPatterns.Gpt2)], "").Split(text).Select(r => text[r])));
    }

    [Fact]
    public void A_pattern_that_is_none_is_refused()
    {
        Assert.Contains("t.json", Assert.Throws<TokenizerException>(() => new PreTokenizer([SplitStep.Isolated("(")], "t.json")).Message);
    }
}
