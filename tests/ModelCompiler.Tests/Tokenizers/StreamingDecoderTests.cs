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

    [DataFact("models/stories260K")]
    public void Spaces_between_words_stay_whatever_the_tokenizer_drops_at_the_start()
    {
        Tokenizer tokenizer = Tokenizer.Load(TestData.PathOf("models/stories260K/tok512.bin"));
        int[] ids = [1, .. tokenizer.Encode(Text)];
        var decoder = new StreamingDecoder(tokenizer, ids.AsSpan(0, 4));

        string rest = string.Concat(ids[4..].Select(decoder.Next));

        Assert.Equal(Text, tokenizer.Decode(ids.AsSpan(0, 4)) + rest);
    }
}
