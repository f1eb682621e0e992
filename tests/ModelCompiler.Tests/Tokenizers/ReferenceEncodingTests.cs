using System.Text.Json;
using ModelCompiler.HuggingFace.Tokenizers;
using ModelCompiler.Tokenizers;

namespace ModelCompiler.Tests.Tokenizers;

/// <summary>Ids that other implementations gave for the same files.</summary>
public class ReferenceEncodingTests
{
    [Fact]
    public void Gpt2()
    {
        TestData.Require("tokenizers/gpt2");
        AgreesWithItsReference("tokenizers/gpt2", 50_257);
    }

    [Fact]
    public void Qwen3()
    {
        TestData.Require("tokenizers/qwen3");
        AgreesWithItsReference("tokenizers/qwen3", 151_669);
    }

    [Theory]
    [InlineData("deepseek_v3", false)]
    [InlineData("dolma2", false)]
    [InlineData("gpt-neox-20b", false)]
    [InlineData("llama3_1", true)]
    [InlineData("phi-2", false)]
    [InlineData("roberta-base", true)]
    [InlineData("smollm-135m", false)]
    public void Three_hundred_texts(string name, bool hasMarks)
    {
        TestData.Require("tokenizers/llama3_1");
        Tokenizer tokenizer = PretrainedTokenizer.Load(TestData.PathOf($"tokenizers/{name}"));
        using JsonDocument reference = JsonDocument.Parse(File.ReadAllBytes(TestData.PathOf($"tokenizers/{name}/reference_encodings.json")));

        Assert.Equal(300, reference.RootElement.GetArrayLength());
        foreach (JsonElement sample in reference.RootElement.EnumerateArray())
        {
            int[] ids = tokenizer.Encode(sample.GetProperty("text").GetString()!);

            Assert.Equal(Ids(sample.GetProperty("ids")), ids);
            Assert.Equal(hasMarks, sample.TryGetProperty("ids_special", out JsonElement marked));
            if (hasMarks)
            {
                Assert.Equal(Ids(marked), (int[])[.. tokenizer.Prefix, .. ids, .. tokenizer.Suffix]);
            }
        }
    }

    [Fact]
    public void Gpt2_marks()
    {
        TestData.Require("tokenizers/gpt2");
        Assert.Equal(50_256, PretrainedTokenizer.Load(TestData.PathOf("tokenizers/gpt2/encoder.json")).EosToken);
    }

    [Fact]
    public void Qwen3_marks_and_special_tokens()
    {
        TestData.Require("tokenizers/qwen3");
        Tokenizer tokenizer = PretrainedTokenizer.Load(TestData.PathOf("tokenizers/qwen3/tokenizer.json"));

        Assert.Null(tokenizer.BosToken);
        Assert.Equal(151_645, tokenizer.EosToken);
        Assert.Equal([151_644, 872, 198, 13_048, 151_645], tokenizer.Encode("<|im_start|>user\nHi<|im_end|>"));
        Assert.Equal("<|im_start|>user\nHi<|im_end|>", tokenizer.Decode([151_644, 872, 198, 13_048, 151_645]));
    }

    [Fact]
    public void Qwen3_composes_before_it_encodes()
    {
        TestData.Require("tokenizers/qwen3");
        Tokenizer tokenizer = PretrainedTokenizer.Load(TestData.PathOf("tokenizers/qwen3"));

        Assert.Equal(tokenizer.Encode("na\u00EFve caf\u00E9"), tokenizer.Encode("nai\u0308ve cafe\u0301"));
    }

    [Fact]
    public void Llama2C()
    {
        TestData.Require("models/stories260K");
        Tokenizer tokenizer = PretrainedTokenizer.Load(TestData.PathOf("models/stories260K"));
        using JsonDocument reference = JsonDocument.Parse(File.ReadAllBytes(TestData.PathOf("models/stories260K/reference.json")));
        JsonElement root = reference.RootElement;

        Assert.Equal(512, tokenizer.VocabularySize);
        Assert.Equal((1, 2), (tokenizer.BosToken, tokenizer.EosToken));
        Assert.Equal(Ids(root.GetProperty("prompt_ids")), WithBegin(tokenizer, root.GetProperty("prompt").GetString()!));
        foreach (JsonProperty sample in root.GetProperty("tokenizer_samples").EnumerateObject())
        {
            Assert.Equal(Ids(sample.Value), WithBegin(tokenizer, sample.Name));
        }

        Assert.Equal(root.GetProperty("greedy_text").GetString(), tokenizer.Decode(Ids(root.GetProperty("greedy_ids"))));
    }

    [Fact]
    public void A_quarter_megabyte_without_a_break_takes_seconds_not_hours()
    {
        TestData.Require("tokenizers/gpt2");
        Tokenizer tokenizer = PretrainedTokenizer.Load(TestData.PathOf("tokenizers/gpt2"));
        string text = new('a', 1 << 18);

        Assert.Equal(text, tokenizer.Decode(tokenizer.Encode(text)));
    }

    private static void AgreesWithItsReference(string folder, int vocabulary)
    {
        Tokenizer tokenizer = PretrainedTokenizer.Load(TestData.PathOf(folder));
        using JsonDocument reference = JsonDocument.Parse(File.ReadAllBytes(TestData.PathOf($"{folder}/reference_encodings.json")));

        Assert.Equal(vocabulary, tokenizer.VocabularySize);
        Assert.Equal(8, reference.RootElement.EnumerateObject().Count());
        foreach (JsonProperty sample in reference.RootElement.EnumerateObject())
        {
            Assert.Equal(Ids(sample.Value), tokenizer.Encode(sample.Name));
            Assert.Equal(sample.Name, tokenizer.Decode(tokenizer.Encode(sample.Name)));
        }
    }

    private static int[] WithBegin(Tokenizer tokenizer, string text) => [tokenizer.BosToken!.Value, .. tokenizer.Encode(text)];

    private static int[] Ids(JsonElement array) => [.. array.EnumerateArray().Select(e => e.GetInt32())];
}
