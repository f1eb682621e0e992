using ModelCompiler.HuggingFace.Tokenizers;
using ModelCompiler.Tests.Files;
using ModelCompiler.Tokenizers;
using static ModelCompiler.Tests.Tokenizers.SmallTokenizer;

namespace ModelCompiler.Tests.Tokenizers;

/// <summary>The marks that Transformers puts around a text with the same files.</summary>
public class TokenizerMarksTests
{
    private const string Bytes = """{"type":"ByteLevel"}""";
    private const string Begin = """{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"<s>","type_id":0}},{"Sequence":{"id":"A","type_id":0}}],"pair":[],"special_tokens":{"<s>":{"id":"<s>","ids":[11],"tokens":["<s>"]}}}""";
    private const string Both = """{"type":"RobertaProcessing","cls":["<s>",11],"sep":["</s>",12],"trim_offsets":true,"add_prefix_space":false}""";
    private const string Marks = "\"bos_token\":\"<s>\",\"eos_token\":\"</s>\"";
    private static readonly string s_added = Added(11, "<s>") + "," + Added(12, "</s>");

    public static TheoryData<string, string?, int[], int[]> Cases => new()
    {
        // Without a word in the configuration the post-processor decides.
        { "null", null, [], [] },
        { Bytes, null, [], [] },
        { Begin, null, [11], [] },
        { Both, null, [11], [12] },
        { Both.Replace("Roberta", "Bert", StringComparison.Ordinal), null, [11], [12] },
        { $$"""{"type":"Sequence","processors":[{{Bytes}},{{Begin}}]}""", null, [11], [] },
        { $$"""{"type":"Sequence","processors":[{{Both}},{{Begin}}]}""", null, [11, 11], [12] },
        { Begin, $$"""{{{Marks}}}""", [11], [] },
        { Bytes, $$"""{{{Marks}}}""", [], [] },

        // What the configuration says replaces its side.
        { Bytes, $$"""{{{Marks}},"add_bos_token":true}""", [11], [] },
        { Bytes, $$"""{{{Marks}},"add_bos_token":true,"add_eos_token":true}""", [11], [12] },
        { Bytes, $$"""{{{Marks}},"add_eos_token":true}""", [], [12] },
        { Begin, $$"""{{{Marks}},"add_bos_token":false}""", [], [] },
        { Begin, $$"""{{{Marks}},"add_eos_token":true}""", [11], [12] },
        { Both, $$"""{{{Marks}},"add_bos_token":false,"add_eos_token":false}""", [], [] },
        { Begin, $$"""{{{Marks}},"add_bos_token":null}""", [11], [] },
        { Bytes, """{"bos_token":null,"eos_token":"</s>","add_bos_token":true}""", [], [] },

        // Llama's classes begin texts unless told not to, whatever the post-processor does; others do not.
        { Bytes, $$"""{{{Marks}},"tokenizer_class":"LlamaTokenizerFast"}""", [11], [] },
        { Both, $$"""{{{Marks}},"tokenizer_class":"LlamaTokenizer"}""", [11], [] },
        { Bytes, $$"""{{{Marks}},"tokenizer_class":"LlamaTokenizerFast","add_bos_token":false}""", [], [] },
        { Bytes, $$"""{{{Marks}},"tokenizer_class":"PreTrainedTokenizerFast"}""", [], [] },
        { Bytes, $$"""{{{Marks}},"tokenizer_class":"GPT2Tokenizer"}""", [], [] },
        { Bytes, """{"bos_token":null,"eos_token":"</s>","tokenizer_class":"Qwen2Tokenizer"}""", [], [] },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void Prefix_and_suffix(string postProcessor, string? config, int[] prefix, int[] suffix)
    {
        ByteLevelBpe tokenizer = Load(added: s_added, postProcessor: postProcessor, config: config);

        Assert.Equal(prefix, tokenizer.Prefix);
        Assert.Equal(suffix, tokenizer.Suffix);
    }

    [Theory]
    [InlineData("""{"bos_token":"<s>","eos_token":"</s>"}""", 11, 12)]
    [InlineData("""{"bos_token":{"content":"<s>","lstrip":false},"eos_token":{"content":"c"}}""", 11, 2)]
    [InlineData("""{"bos_token":null,"eos_token":{"content":null}}""", null, null)]
    [InlineData("""{"model_max_length":512}""", 11, 12)]
    [InlineData(null, 11, 12)]
    public void Marks_as_text_object_null_or_by_their_usual_names(string? config, int? begin, int? end)
    {
        ByteLevelBpe tokenizer = Load(added: s_added, config: config);

        Assert.Equal((begin, end), (tokenizer.BosToken, tokenizer.EosToken));
    }

    [Fact]
    public void The_older_file_says_what_the_configuration_does_not()
    {
        using var folder = new TemporaryFolder();
        Load(added: s_added).Save(folder.File("tokenizer.json"));
        File.WriteAllText(folder.File("special_tokens_map.json"), """{"bos_token":"a","eos_token":{"content":"b"}}""");
        File.WriteAllText(folder.File("tokenizer_config.json"), """{"eos_token":"c"}""");

        Tokenizer tokenizer = PretrainedTokenizer.Load(folder.Path);

        Assert.Equal((0, 2), (tokenizer.BosToken, tokenizer.EosToken));
    }

    [Theory]
    [InlineData("""{"eos_token":"<|im_end|>"}""", "eos_token '<|im_end|>'")]
    [InlineData("""{"bos_token":{"content":"<|x|>"}}""", "bos_token '<|x|>'")]
    [InlineData("""{"eos_token":""}""", "eos_token ''")]
    [InlineData("""{"eos_token":2}""", "'eos_token'")]
    [InlineData("""{"eos_token":["</s>"]}""", "'eos_token'")]
    [InlineData("""{"add_bos_token":"yes"}""", "'add_bos_token'")]
    [InlineData("[]", "object")]
    [InlineData("{", "JSON")]
    public void A_configuration_that_names_what_is_not_there_is_an_error(string config, string expected)
    {
        string message = Assert.Throws<TokenizerException>(() => Load(added: s_added, config: config)).Message;

        Assert.Contains(expected, message);
        Assert.Contains("tokenizer_config.json", message);
    }

    [Theory]
    [InlineData("""{"type":"Strange"}""", "'Strange'")]
    [InlineData("""{"type":"RobertaProcessing","cls":["<s>",13],"sep":["</s>",12]}""", "id 13")]
    [InlineData("""{"type":"RobertaProcessing","cls":"<s>","sep":["</s>",12]}""", "'cls'")]
    [InlineData("""{"type":"TemplateProcessing","single":[],"special_tokens":{}}""", "sequence A once")]
    [InlineData("""{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"<s>"}},{"Sequence":{"id":"A"}}],"special_tokens":{}}""", "'<s>'")]
    [InlineData("[]", "not a valid")]
    public void A_post_processor_that_cannot_be_followed_is_an_error(string postProcessor, string expected)
    {
        Assert.Contains(expected, Assert.Throws<TokenizerException>(() => Load(added: s_added, postProcessor: postProcessor)).Message);
    }

    [Fact]
    public void What_is_saved_has_the_same_marks()
    {
        using var folder = new TemporaryFolder();
        Load(added: s_added, postProcessor: Both).Save(folder.File("tokenizer.json"));

        Tokenizer saved = PretrainedTokenizer.Load(folder.Path);

        Assert.Equal([11], saved.Prefix);
        Assert.Equal([12], saved.Suffix);
    }

    [Fact]
    public void Gpt2s_pair_follows_the_configuration_beside_it()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.File("vocab.json"), Vocabulary);
        File.WriteAllText(folder.File("merges.txt"), "#version: 0.2\na b\nab c\n");
        File.WriteAllText(folder.File("tokenizer_config.json"), """
            {"tokenizer_class":"GPT2Tokenizer","bos_token":"<s>","eos_token":"<s>","add_bos_token":true,"added_tokens_decoder":{"11":{"content":"<s>","special":true}}}
            """);

        Tokenizer tokenizer = PretrainedTokenizer.Load(folder.Path);

        Assert.Equal([11], tokenizer.Prefix);
        Assert.Equal([11, 4], tokenizer.Encode("<s>abc"));

        File.WriteAllText(folder.File("tokenizer_config.json"), """{"tokenizer_class":"RobertaTokenizer"}""");
        Assert.Contains("RobertaTokenizer", Assert.Throws<TokenizerException>(() => PretrainedTokenizer.Load(folder.Path)).Message);
    }
}
