using System.Diagnostics;
using System.Text;
using ModelCompiler.CommandLine.Quickstart;
using ModelCompiler.HuggingFace.Tokenizers;
using ModelCompiler.Tests;
using ModelCompiler.Tests.Files;
using ModelCompiler.Tokenizers;

namespace ModelCompiler.Cli.Tests.Quickstart;

public class BpeTrainerTests(ITestOutputHelper output)
{
    [Fact]
    public void Merges_are_those_of_the_definition()
    {
        var random = new Random(11);
        for (int round = 0; round < 20; round++)
        {
            string[] texts = [.. Enumerable.Range(0, 30).Select(_ => string.Concat(Enumerable.Range(0, 40).Select(_ => "abcd é "[random.Next(7)])))];

            ByteLevelBpe trained = BpeTrainer.Train(texts, 300, "<|endoftext|>");

            string[] learned = [.. Enumerable.Range(257, trained.VocabularySize - 257).Select(id => Hex(trained.DecodeBytes([id])))];
            Assert.Equal(Naive(texts, 300 - 257), learned);
        }
    }

    [Fact]
    public void The_order_of_texts_does_not_matter()
    {
        string[] texts = [.. Enumerable.Range(0, 200).Select(i => $"member {i % 17} of type {i % 13} returns {i * i}")];
        using var folder = new TemporaryFolder();

        BpeTrainer.Train(texts, 400, "<|endoftext|>").Save(folder.File("a"));
        BpeTrainer.Train(texts.Reverse(), 400, "<|endoftext|>").Save(folder.File("b"));

        Assert.Equal(File.ReadAllBytes(folder.File("a")), File.ReadAllBytes(folder.File("b")));
    }

    [Fact]
    public void What_is_saved_loads_as_the_same_tokenizer()
    {
        string[] texts = ["the cat sat on the mat", "the cats sat", "<|endoftext|> the \U0001F642 mat"];
        using var folder = new TemporaryFolder();
        ByteLevelBpe trained = BpeTrainer.Train(texts, 290, "<|endoftext|>", "<|pad|>");

        trained.Save(folder.File("tokenizer.json"));
        Tokenizer loaded = PretrainedTokenizer.Load(folder.Path);

        Assert.Equal(trained.VocabularySize, loaded.VocabularySize);
        Assert.Equal(0, loaded.EosToken);
        foreach (string text in texts.Append("never seen \u00FF\u4E2D"))
        {
            Assert.Equal(trained.Encode(text), loaded.Encode(text));
            Assert.Equal(text, loaded.Decode(loaded.Encode(text)));
        }
    }

    [Fact]
    public void Impossible_wishes_are_refused()
    {
        Assert.Throws<TokenizerException>(() => BpeTrainer.Train(["a"], 256, "<x>"));
        Assert.Throws<TokenizerException>(() => BpeTrainer.Train([], 300));
        Assert.Throws<TokenizerException>(() => BpeTrainer.Train(["a"], 300, "<x>", "<x>"));
        Assert.Equal(256, BpeTrainer.Train(["ab"], 300).VocabularySize);
    }

    [Fact]
    public void A_megabyte_takes_seconds()
    {
        TestData.Require("datasets/tinyshakespeare");
        string text = File.ReadAllText(TestData.PathOf("datasets/tinyshakespeare/input.txt"));
        var watch = Stopwatch.StartNew();

        ByteLevelBpe trained = BpeTrainer.Train([text], 4096, "<|endoftext|>");

        double trainSeconds = watch.Elapsed.TotalSeconds;
        watch.Restart();
        int[] ids = trained.Encode(text);
        output.WriteLine($"trained in {trainSeconds:F2} s, encoded {text.Length} characters in {watch.Elapsed.TotalSeconds:F2} s into {ids.Length} tokens");
        Assert.Equal(4096, trained.VocabularySize);
        Assert.Equal(text, trained.Decode(ids));
        Assert.InRange(ids.Length, text.Length / 5, text.Length / 3);
    }

    /// <summary>The algorithm as it is defined: count all pairs afresh for each merge.</summary>
    private static string[] Naive(string[] texts, int merges)
    {
        var preTokenizer = new PreTokenizer([SplitStep.Isolated(SplitPatterns.Gpt2)], "");
        List<List<string>> words = [.. texts.SelectMany(t => preTokenizer.Split(t).Select(r => Encoding.UTF8.GetBytes(t[r]).Select(b => Hex([b])).ToList()))];
        var order = new Dictionary<string, int>();
        foreach (int value in Enumerable.Range(0, 256).OrderBy(b => ByteAlphabet.Character((byte)b)))
        {
            order.Add(Hex([(byte)value]), order.Count);
        }

        var learned = new List<string>();
        while (learned.Count < merges)
        {
            var best = words.SelectMany(w => w.Zip(w.Skip(1))).GroupBy(p => p).Where(g => g.Count() > 1)
                .OrderByDescending(g => g.Count()).ThenBy(g => order[g.Key.First]).ThenBy(g => order[g.Key.Second]).FirstOrDefault();
            if (best is null)
            {
                break;
            }

            string merged = best.Key.First + best.Key.Second;
            if (order.TryAdd(merged, order.Count))
            {
                learned.Add(merged);
            }

            foreach (List<string> word in words)
            {
                for (int i = 0; i + 1 < word.Count; i++)
                {
                    if ((word[i], word[i + 1]) == best.Key)
                    {
                        word[i] = merged;
                        word.RemoveAt(i + 1);
                    }
                }
            }
        }

        return [.. learned];
    }

    private static string Hex(ReadOnlySpan<byte> bytes) => Convert.ToHexString(bytes);
}
