using System.Text;
using FsCheck;
using FsCheck.Fluent;
using ModelCompiler.HuggingFace.Tokenizers;
using ModelCompiler.Tokenizers;

namespace ModelCompiler.Tests.Tokenizers;

public class RoundTripTests
{
    /// <summary>Characters of every kind, mostly of kinds that tokenizers cut at.</summary>
    private static readonly Gen<string> s_text = Gen.OneOf(
            Gen.Choose('a', 'e').Select(c => new Rune(c)),
            Gen.Elements(" \t\r\n'.,0123456789\u00A0\u2003\u3000".EnumerateRunes().ToArray()),
            Gen.Choose(0, 0x10FFFF).Where(Rune.IsValid).Select(c => new Rune(c)),
            Gen.Choose(0x1F600, 0x1F64F).Select(c => new Rune(c)),
            Gen.Choose(0x0300, 0x036F).Select(c => new Rune(c)))
        .ListOf().Select(runes => string.Concat(runes));

    [Fact]
    public void Gpt2()
    {
        TestData.Require("tokenizers/gpt2");
        TextComesBack(PretrainedTokenizer.Load(TestData.PathOf("tokenizers/gpt2")), text => text);
    }

    [Fact]
    public void Qwen3_gives_the_composed_text()
    {
        TestData.Require("tokenizers/qwen3");
        TextComesBack(PretrainedTokenizer.Load(TestData.PathOf("tokenizers/qwen3")), CanonicalComposition.Of);
    }

    [Fact]
    public void Llama2C()
    {
        TestData.Require("models/stories260K");
        TextComesBack(PretrainedTokenizer.Load(TestData.PathOf("models/stories260K/tok512.bin")), text => text);
    }

    [Fact]
    public void Words_cover_the_text()
    {
        string[][] all = [[SplitPatterns.Gpt2], [SplitPatterns.Qwen2], [SplitPatterns.Llama3], [SplitPatterns.OneDigit, SplitPatterns.Gpt2]];
        PreTokenizer[] preTokenizers = [.. all.Select(patterns => new PreTokenizer(patterns.Select(SplitStep.Isolated), ""))];
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(300), Prop.ForAll(s_text.ToArbitrary(), text =>
            preTokenizers.All(p => string.Concat(p.Split(text).Select(r => text[r])) == text)));
    }

    private static void TextComesBack(Tokenizer tokenizer, Func<string, string> expected) =>
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(500), Prop.ForAll(s_text.ToArbitrary(), text =>
        {
            int[] ids = tokenizer.Encode(text);
            return tokenizer.Decode(ids) == expected(text) && ids.SequenceEqual(tokenizer.Encode(text));
        }));
}
