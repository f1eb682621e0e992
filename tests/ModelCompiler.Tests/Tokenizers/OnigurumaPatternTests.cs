using ModelCompiler.HuggingFace.Tokenizers;
using ModelCompiler.Tokenizers;

namespace ModelCompiler.Tests.Tokenizers;

/// <summary>Words that Hugging Face's tokenizers 0.22 cuts with the same patterns.</summary>
public class OnigurumaPatternTests
{
    [Theory]
    // A + behind a quantifier is possessive, behind an interval it repeats.
    [InlineData(@"a++a|.", "aab", "a|a|b")]
    [InlineData(@"\p{N}{1,3}+|x", "12345x6", "12345|x|6")]
    [InlineData(@"\p{L}++|\p{N}{1,3}+|\s++$|\s+(?!\S)|\s|.", "ab 1234  c\n\n", "ab| |1234| | |c|\n\n")]
    // A ? behind {n} makes it optional, and {,n} begins at 0.
    [InlineData(@"x{2}?y", "xxyy", "xxy|y")]
    [InlineData(@"xy{,2}", "xyyyx", "xyy|y|x")]
    [InlineData(@"a{|b}", "a{b}", "a{|b}")]
    // Lines: ^ and $ are at every line feed.
    [InlineData(@"a$", "a\nab", "a|\nab")]
    [InlineData(@"^b", "b\nbb", "b|\n|b|b")]
    [InlineData(@"(?m:a.b)", "a\nb", "a\nb")]
    [InlineData(@"a.b", "xa\nb", "xa\nb")]
    // Empty matches cut too.
    [InlineData(@"(?=[A-Z])", "aBcD", "a|Bc|D")]
    [InlineData(@"\b", "ab, c", "ab|, |c")]
    // Options without a colon reach to the end of the group, alternatives included.
    [InlineData(@"x(?i)b|c", "xBxCbc", "xB|xC|bc")]
    [InlineData(@"(?i:'s)", "'S'\u017F's", "'S|'\u017F|'s")]
    [InlineData(@"(?i)k", "K\u212Ak", "K|\u212A|k")]
    // Classes: nested, intersections, POSIX names, hexadecimal digits.
    [InlineData(@"[a-c[x-z]&&[^b]]+", "abcxb", "a|b|cx|b")]
    [InlineData(@"[^a-c&&[a-z]]+", "ad1e", "a|d1e")]
    [InlineData(@"[[:space:][:digit:]]+", "a 1b", "a| 1|b")]
    [InlineData(@"\h+", "x1fg", "x|1f|g")]
    [InlineData(@"[a-]+", "a-b", "a-|b")]
    [InlineData(@"\p{Letter}+|\p{^Nd}", "ab1.", "ab|1|.")]
    [InlineData(@"\w+", "a\u24B6\U0001F130_\u0301 \u00B2", "a\u24B6\U0001F130_\u0301| \u00B2")]
    [InlineData(@"(?<name>a)(?#comment)b", "xab", "x|ab")]
    [InlineData(@"\x41\x{42}\u0043", "xABC", "x|ABC")]
    // Characters beyond U+FFFF belong to no range below, and to every open one.
    [InlineData(@"[\u0400-\u04FF]+", "\u0416\U0001D400\u0436", "\u0416|\U0001D400|\u0436")]
    [InlineData(@"[\x{80}-\x{10FFFF}]+", "a\u0416\U0001D400b", "a|\u0416\U0001D400|b")]
    public void Words(string pattern, string text, string words)
    {
        var preTokenizer = new PreTokenizer([SplitStep.Isolated(pattern)], "");

        Assert.Equal(words, string.Join("|", preTokenizer.Split(text).Select(r => text[r])));
    }

    [Theory]
    [InlineData(@"\p{Han}", "'Han'")]
    [InlineData(@"[[:alpha:]]", "'alpha'")]
    [InlineData(@"(?i)ss", "'ss'")]
    [InlineData(@"(?i)\p{Lu}", "'Lu'")]
    [InlineData(@"(?i)é", "U+00E9")]
    [InlineData(@"\G", @"\G")]
    [InlineData(@"(a)\1", @"\1")]
    [InlineData(@"(?~a)", "(?~")]
    [InlineData(@"(?x)a", "(?x")]
    [InlineData(@"\xE3", @"\xE3")]
    [InlineData("\U0001F642", "U+1F642")]
    [InlineData(@"[\x{1F600}-\x{1F64F}]", "U+1F600")]
    [InlineData(@"a{3,2}", "{3,2}")]
    [InlineData(@"a{1000000}", "{1000000,1000000}")]
    [InlineData(@"^*", "anchor")]
    [InlineData(@"*a", "quantifier *")]
    [InlineData(@"(a", "no )")]
    [InlineData(@"a)", "no (")]
    [InlineData(@"[a", "too early")]
    [InlineData(@"[]", "empty")]
    [InlineData(@"[z-a]", "U+007A")]
    [InlineData(@"a\", "too early")]
    public void What_has_no_equal_is_refused_by_name(string pattern, string expected)
    {
        string message = Assert.Throws<TokenizerException>(() => new PreTokenizer([SplitStep.Isolated(pattern)], "t.json")).Message;

        Assert.Contains("t.json", message);
        Assert.Contains(expected, message);
    }

    [Fact]
    public void Depth_and_length_are_bounded()
    {
        foreach (string pattern in (string[])[new string('(', 100_000), new string('[', 30_000), new string('a', 100_000)])
        {
            Assert.Throws<TokenizerException>(() => new PreTokenizer([SplitStep.Isolated(pattern)], "t.json"));
        }
    }

    [Fact]
    public void A_pattern_that_backtracks_does_not_where_that_is_possible()
    {
        string text = new string('a', 40) + "b\naa";
        var preTokenizer = new PreTokenizer([SplitStep.Isolated("(a+)+$")], "t.json");

        Assert.Equal([text[..^2], "aa"], preTokenizer.Split(text).Select(r => text[r]));
    }

    [Fact]
    public void A_pattern_that_must_backtrack_is_given_up_with_an_error()
    {
        string text = new string('a', 60) + "b";
        var preTokenizer = new PreTokenizer([SplitStep.Isolated("(a|aa)+(?=c)")], "t.json");

        string message = Assert.Throws<TokenizerException>(() => preTokenizer.Split(text)).Message;

        Assert.Contains("t.json", message);
        Assert.Contains("(a|aa)+(?=c)", message);
        Assert.Contains("61 characters", message);
    }

    [Theory]
    [InlineData(SplitPatterns.Gpt2)]
    [InlineData(SplitPatterns.Qwen2)]
    [InlineData(SplitPatterns.Llama3)]
    [InlineData(SplitPatterns.Digits)]
    public void Known_patterns_match_what_their_translation_matches(string pattern)
    {
        var translated = new System.Text.RegularExpressions.Regex(OnigurumaPattern.Translate(pattern).Pattern, System.Text.RegularExpressions.RegexOptions.Multiline);
        const string Text = "I'LL he'\u017F can't\r\n\n  caf\u00E9 12345 \u4E2D\u6587\t\u00A0x!? \u2028 _a-b \n";

        Assert.Equal(
            translated.Matches(Text).Select(m => m.Value),
            SplitPatterns.Compile(pattern, "").Regex.Matches(Text).Select(m => m.Value));
    }
}
