using System.Buffers.Binary;
using System.Text;
using FsCheck;
using FsCheck.Fluent;
using ModelCompiler.HuggingFace.Tokenizers;
using ModelCompiler.Tests.Files;
using ModelCompiler.Tokenizers;

namespace ModelCompiler.Tests.Tokenizers;

public class Llama2CFileTests
{
    [Fact]
    public void A_long_token_costs_what_its_bytes_cost()
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        Tokenizer tokenizer = Load([(" ", 0), ("a", 0), ("b", 0), (new string('a', 20_000) + "b", -1), (new string('a', 20_000), -2)]);

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 8 << 20);
        Assert.Equal(259 + 5, tokenizer.VocabularySize);
    }

    [Fact]
    public void Two_pieces_that_make_a_third_are_all_found()
    {
        Gen<byte[]> piece = Gen.Choose('a', 'b').Select(c => (byte)c).ArrayOf().Where(p => p.Length is > 0 and < 9);
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(200), Prop.ForAll(piece.ArrayOf().ToArbitrary(), given =>
        {
            byte[][] pieces = [.. given.DistinctBy(Convert.ToHexString)];
            var expected = from left in Enumerable.Range(0, pieces.Length)
                           from right in Enumerable.Range(0, pieces.Length)
                           from merged in Enumerable.Range(0, pieces.Length)
                           where pieces[merged].AsSpan().SequenceEqual((byte[])[.. pieces[left], .. pieces[right]])
                           select (left, right, merged);
            return PieceMerges.Of(pieces).Order().SequenceEqual(expected.Order());
        }));
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(float.NegativeInfinity)]
    public void A_score_that_is_no_number_is_refused(float score)
    {
        string message = Assert.Throws<TokenizerException>(() => Load([("a", 0), ("b", score)])).Message;

        Assert.Contains("tok.bin", message);
        Assert.Contains("token 260", message);
    }

    [Fact]
    public void Marks_and_bytes_are_not_made_of_text()
    {
        // Every beginning of them is a piece, so that merging could lead there.
        string[] grown = [.. Prefixes("<s>"), .. Prefixes("<0x41>"), ">", "x", "0", "4", "1", "s", " "];
        Tokenizer tokenizer = Load([.. grown.Distinct().Select(p => (p, 0f))]);

        Assert.DoesNotContain(1, tokenizer.EncodeText("<s>"));
        Assert.DoesNotContain(3 + 0x41, tokenizer.EncodeText("<0x41>"));
        Assert.Equal([1], tokenizer.Encode("<s>"));
        Assert.Equal("<s>", tokenizer.Decode(tokenizer.EncodeText("<s>")));
    }

    [Fact]
    public void A_configuration_beside_it_is_followed()
    {
        Assert.Equal([1], Load([("a", 0)]).Prefix);
        Assert.Equal([], Load([("a", 0)], """{"add_bos_token":false}""").Prefix);
        Assert.Equal([2], Load([("a", 0)], """{"add_eos_token":true}""").Suffix);
        Assert.Equal(259, Load([("a", 0)], """{"eos_token":"a"}""").EosToken);
        Assert.Contains("'<|im_end|>'", Assert.Throws<TokenizerException>(() => Load([("a", 0)], """{"eos_token":"<|im_end|>"}""")).Message);
    }

    private static IEnumerable<string> Prefixes(string text) => Enumerable.Range(1, text.Length - 1).Select(n => text[..n]);

    private static Tokenizer Load((string Piece, float Score)[] pieces, string? config = null)
    {
        var bytes = new List<byte>([0, 0, 0, 0]);
        IEnumerable<(string, float)> marks = [("<unk>", 0), ("<s>", 0), ("</s>", 0), .. Enumerable.Range(0, 256).Select(b => ($"<0x{b:X2}>", 0f))];
        foreach ((string piece, float score) in marks.Concat(pieces))
        {
            byte[] utf8 = Encoding.UTF8.GetBytes(piece);
            var header = new byte[8];
            BinaryPrimitives.WriteSingleLittleEndian(header, score);
            BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(4), utf8.Length);
            bytes.AddRange([.. header, .. utf8]);
        }

        using var folder = new TemporaryFolder();
        File.WriteAllBytes(folder.File("tok.bin"), [.. bytes]);
        if (config is not null)
        {
            File.WriteAllText(folder.File("tokenizer_config.json"), config);
        }

        return PretrainedTokenizer.Load(folder.Path);
    }
}
