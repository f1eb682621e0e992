using ModelCompiler.HuggingFace.Tokenizers;
using ModelCompiler.Tokenizers;
using static ModelCompiler.Tests.Tokenizers.SmallTokenizer;

namespace ModelCompiler.Tests.Tokenizers;

public class TextMarksTests
{
    private static readonly ByteLevelBpe s_both = Load(
        added: Added(11, "<s>") + "," + Added(12, "</s>"), config: """{"bos_token":"<s>","eos_token":"</s>","add_bos_token":true}""");

    private static readonly ByteLevelBpe s_endOnly = Load(
        added: Added(11, "<s>") + "," + Added(12, "</s>"), config: """{"bos_token":"<s>","eos_token":"</s>","add_bos_token":false}""");

    [Theory]
    [InlineData("abc", new[] { 11, 4, 12 }, 0, 0, 0)]
    [InlineData("", new[] { 11, 12 }, 0, 0, 0)]
    [InlineData("<s>abc", new[] { 11, 4, 12 }, 1, 0, 0)]
    [InlineData("abc</s>", new[] { 11, 4, 12 }, 0, 1, 0)]
    [InlineData("<s>abc</s>", new[] { 11, 4, 12 }, 1, 1, 0)]
    [InlineData("<s><s>abc</s></s>", new[] { 11, 4, 12 }, 1, 1, 0)]
    [InlineData("</s>", new[] { 11, 12 }, 0, 1, 0)]
    [InlineData("a<s>b", new[] { 11, 0, 6, 9, 7, 1, 12 }, 0, 0, 1)]
    [InlineData("</s>a<s>", new[] { 11, 6, 8, 9, 7, 0, 6, 9, 7, 12 }, 0, 0, 1)]
    [InlineData("<s>a</s>b</s>", new[] { 11, 0, 6, 8, 9, 7, 1, 12 }, 1, 1, 1)]
    public void A_mark_that_the_text_carries_is_not_added_again(string text, int[] ids, int begun, int ended, int spelled)
    {
        var marks = new TextMarks(s_both);

        Assert.Equal(ids, marks.Encode(text, begins: true, ends: true));
        Assert.Equal((begun, ended, spelled), (marks.Begun, marks.Ended, marks.SpelledAsText));
    }

    [Fact]
    public void Where_no_begin_mark_is_put_a_spelled_one_is_text()
    {
        var marks = new TextMarks(s_endOnly);

        Assert.Equal([6, 9, 7, 0, 12], marks.Encode("<s>a", begins: true, ends: true));
        Assert.Equal((0, 0, 1), (marks.Begun, marks.Ended, marks.SpelledAsText));
    }

    [Fact]
    public void Marks_are_looked_for_where_they_belong()
    {
        var marks = new TextMarks(s_both);

        Assert.Equal([6, 9, 7, 0, 12], marks.Encode("<s>a</s>", begins: false, ends: true));
        Assert.Equal([11, 0, 6, 8, 9, 7], marks.Encode("<s>a</s>", begins: true, ends: false));
    }

    [Fact]
    public void A_begin_mark_in_markup_counts_as_one()
    {
        var marks = new TextMarks(s_both);

        Assert.Equal([11, 6, 9, 7, 12], marks.Encode([new TextPart("<s>", true), new TextPart("<s>", false)], begins: true, ends: true));
        Assert.Equal(1, marks.Begun);
    }

    [Fact]
    public void The_end_mark_comes_after_a_suffix_that_lacks_it()
    {
        const string Separator = """{"type":"BertProcessing","cls":["<s>",11],"sep":["b",1]}""";
        ByteLevelBpe tokenizer = Load(added: Added(11, "<s>") + "," + Added(12, "</s>"), postProcessor: Separator);

        Assert.Equal([11, 0, 1, 12], new TextMarks(tokenizer).Encode("a</s>", begins: true, ends: true));
    }
}
