using ModelCompiler.HuggingFace.Tokenizers;
using ModelCompiler.Tokenizers;
using static ModelCompiler.Tests.Tokenizers.SmallTokenizer;

namespace ModelCompiler.Tests.Tokenizers;

/// <summary>Ids that Hugging Face's tokenizers 0.22 gives.</summary>
public class AddedTokenTests
{
    [Theory]
    [InlineData("ca", new[] { 11 })]
    [InlineData("ca ca", new[] { 11, 5, 11 })]
    [InlineData("cab", new[] { 2, 3 })]
    [InlineData("bca", new[] { 1, 2, 0 })]
    [InlineData("<ca>", new[] { 6, 11, 7 })]
    [InlineData(".ca.", new[] { 10, 11, 10 })]
    public void A_single_word_stands_by_itself(string text, int[] ids)
    {
        Assert.Equal(ids, Load(added: Added(11, "ca", "\"single_word\":true")).Encode(text));
    }

    [Fact]
    public void A_single_word_is_bounded_by_marks_digits_and_letters_beyond_the_plane()
    {
        var tokens = new AddedTokens([new AddedToken(1, "ca", Special: false, SingleWord: true)]);
        bool Found(string text) => tokens.Split(text, (_, _, _) => true).Any(p => p.Token is not null);

        foreach (string word in (string[])["ca\u0301", "1ca", "ca_", "\U0001D400ca", "ca\u24B6", "ca\u2167", "ca\u200D"])
        {
            Assert.False(Found(word), word);
        }

        foreach (string other in (string[])["ca\u00B2", "ca-", "\U0001F642ca", "ca\u2028", "$ca"])
        {
            Assert.True(Found(other), other);
        }
    }

    [Fact]
    public void A_normalized_token_is_looked_for_as_the_text_is_normalized()
    {
        ByteLevelBpe tokenizer = Load(
            normalizer: """{"type":"NFC"}""",
            added: Added(11, "e\\u0301", "\"normalized\":true") + "," + Added(12, "o\\u0308", "\"normalized\":false"));

        Assert.Equal([11, 0, 11], tokenizer.Encode("e\u0301a\u00E9"));
        Assert.Equal([12], tokenizer.Encode("o\u0308"));
    }

    [Fact]
    public void White_space_that_a_token_swallowed_is_not_swallowed_again()
    {
        ByteLevelBpe tokenizer = Load(added: Added(11, "<r>", "\"rstrip\":true") + "," + Added(12, "<l>", "\"lstrip\":true"));

        Assert.Equal([0, 11, 12, 1], tokenizer.Encode("a<r>  <l>b"));
    }

    [Fact]
    public void Ids_are_those_that_the_library_gives()
    {
        // A token of the vocabulary keeps its id, others follow in their order; of one content the first stays.
        ByteLevelBpe tokenizer = Load(added: string.Join(",", Added(12, "<x>"), Added(1, "ab"), Added(12, "<y>"), Added(13, "<x>")));

        Assert.Equal([11, 3, 12], tokenizer.Encode("<x>ab<y>"));
        Assert.Equal(13, tokenizer.VocabularySize);
    }

    [Theory]
    [InlineData("16777216")]
    [InlineData("12")]
    [InlineData("-1")]
    [InlineData("1.5")]
    [InlineData("\"11\"")]
    public void An_id_beyond_the_vocabulary_is_refused(string id)
    {
        string added = $$"""{"id":{{id}},"content":"<x>","special":true}""";

        Assert.Contains("tokenizer.json", Assert.Throws<TokenizerException>(() => Load(added: added)).Message);
    }

    [Fact]
    public void A_vocabulary_with_ids_out_of_proportion_is_refused()
    {
        Assert.Contains("'b'", Assert.Throws<TokenizerException>(() => Load(vocabulary: """{"a":0,"b":16777215}""", merges: "[]")).Message);
        Assert.Contains("'a'", Assert.Throws<TokenizerException>(() => Load(vocabulary: """{"a":0,"b":1,"a":2}""", merges: "[]")).Message);
    }

    [Fact]
    public void A_hole_of_the_vocabulary_is_not_given_to_an_added_token_that_another_has()
    {
        Assert.Contains("'<x>'", Assert.Throws<TokenizerException>(() => Load(vocabulary: """{"a":0,"b":2}""", merges: "[]", added: Added(2, "<x>"))).Message);
    }

    [Fact]
    public void Special_tokens_are_tokens_within_markup_alone()
    {
        ByteLevelBpe tokenizer = Load(added: Added(11, "<s>") + "," + Added(12, "<b>", "\"special\":false"));

        Assert.Equal([11, 0, 12], tokenizer.Encode("<s>a<b>"));
        Assert.Equal([6, 9, 7, 0, 12], tokenizer.EncodeText("<s>a<b>"));
        Assert.Equal([11, 6, 9, 7, 3, 11, 0], tokenizer.Encode(
            [new TextPart("<s>", true), new TextPart("<s>a", false), new TextPart("b", true), new TextPart("", false), new TextPart("<s>a", true)]));

        // Half of a token in markup and half in text is none.
        Assert.Equal([6, 9, 7], tokenizer.Encode([new TextPart("<s", true), new TextPart(">", false)]));
        Assert.True(tokenizer.SpellsSpecialToken("a<s>"));
        Assert.False(tokenizer.SpellsSpecialToken("a<b>"));
    }
}
