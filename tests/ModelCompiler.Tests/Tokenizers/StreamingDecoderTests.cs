using ModelCompiler.CommandLine.Quickstart;
using ModelCompiler.HuggingFace.Tokenizers;
using ModelCompiler.Tokenizers;

namespace ModelCompiler.Tests.Tokenizers;

public class StreamingDecoderTests
{
    private const string Text = "Hello \U0001F642\U0001F642 caf\u00E9, big  dog.";

    [Fact]
    public void Pieces_add_up_and_no_character_is_torn()
    {
        ByteLevelBpe tokenizer = BpeTrainer.Train(["a b c"], 260);
        var decoder = new StreamingDecoder(tokenizer);

        string[] pieces = [.. tokenizer.Encode(Text).Select(decoder.Next)];

        Assert.Equal(Text, string.Concat(pieces));
        Assert.All(pieces, p => Assert.DoesNotContain('\uFFFD', p));
        Assert.Contains("", pieces);
    }

    [Fact]
    public void Special_tokens_have_no_text_and_do_not_tear_characters()
    {
        ByteLevelBpe tokenizer = BpeTrainer.Train(["a b c"], 262, "<|endoftext|>", "<|im_end|>");
        int[] smile = tokenizer.Encode("\U0001F642");
        var decoder = new StreamingDecoder(tokenizer, tokenizer.Encode("<|endoftext|>a"));

        Assert.Equal(["", "", "", "", "\U0001F642", ""], ((int[])[smile[0], smile[1], 1, smile[2], smile[3], 0]).Select(decoder.Next));
        Assert.Equal("", decoder.End());
    }

    [Fact]
    public void A_character_that_is_not_complete_is_told_at_the_end()
    {
        ByteLevelBpe tokenizer = BpeTrainer.Train(["a b c"], 260);
        int[] ids = tokenizer.Encode("x\U0001F642");
        var decoder = new StreamingDecoder(tokenizer);

        Assert.Equal("x", string.Concat(ids[..4].Select(decoder.Next)));
        Assert.Equal("\uFFFD", decoder.End());
        Assert.Equal("", decoder.End());
    }

    [Fact]
    public void Spaces_between_words_stay_whatever_the_tokenizer_drops_at_the_start()
    {
        TestData.Require("models/stories260K");
        Tokenizer tokenizer = PretrainedTokenizer.Load(TestData.PathOf("models/stories260K/tok512.bin"));
        int[] ids = [1, .. tokenizer.Encode(Text)];
        var decoder = new StreamingDecoder(tokenizer, ids.AsSpan(0, 4));

        string rest = string.Concat(ids[4..].Select(decoder.Next));

        Assert.Equal(Text, tokenizer.Decode(ids.AsSpan(0, 4)) + rest);
    }
}
