using ModelCompiler.HuggingFace.Tokenizers;
using ModelCompiler.Tests.Files;
using ModelCompiler.Tokenizers;

namespace ModelCompiler.Tests.Tokenizers;

public class TokenizerFileTests
{
    private const string ByteLevel = """{"type":"ByteLevel","add_prefix_space":false}""";
    private const string Merges = """["a b","ab c"]""";

    [Theory]
    [InlineData(Merges)]
    [InlineData("""[["a","b"],["ab","c"]]""")]
    public void Both_forms_of_merges(string merges)
    {
        Assert.Equal([4, 3, 1], Load(Json(merges: merges)).Encode("abcabb"));
    }

    [Fact]
    public void The_lowest_rank_merges_first_and_of_equals_the_leftmost()
    {
        Assert.Equal([0, 4], Load(Json(merges: """["b c","a b"]""", vocabulary: """{"a":0,"b":1,"c":2,"ab":3,"bc":4}""")).Encode("abc"));
        Assert.Equal([1, 0], Load(Json(merges: """["a a"]""", vocabulary: """{"a":0,"aa":1}""")).Encode("aaa"));
    }

    [Fact]
    public void Words_that_are_tokens_can_bypass_the_merges()
    {
        string vocabulary = """{"a":0,"b":1,"c":2,"ab":3,"abc":4,"cab":5}""";

        Assert.Equal([2, 3], Load(Json(vocabulary: vocabulary)).Encode("cab"));
        Assert.Equal([5], Load(Json(vocabulary: vocabulary, ignoreMerges: "true")).Encode("cab"));
    }

    [Fact]
    public void Added_tokens_are_found_leftmost_then_longest_and_may_swallow_white_space()
    {
        ByteLevelBpe tokenizer = Load(Json(added: """
            {"id":5,"content":"<x>","special":true,"lstrip":true,"rstrip":false,"normalized":false,"single_word":false},
            {"id":6,"content":"<x><y>","special":true,"lstrip":false,"rstrip":true,"normalized":false,"single_word":false}
            """));

        Assert.Equal([0, 6, 1, 5, 2], tokenizer.Encode("a<x><y> \n b \t<x>c"));
        Assert.Equal(7, tokenizer.VocabularySize);
        Assert.Contains("id -1", Assert.Throws<TokenizerException>(() => tokenizer.Decode([-1])).Message);
        Assert.Contains("id 7", Assert.Throws<TokenizerException>(() => tokenizer.Decode([7])).Message);
    }

    [Fact]
    public void A_byte_without_a_token_is_named()
    {
        Assert.Contains("0x7A", Assert.Throws<TokenizerException>(() => Load(Json()).Encode("z")).Message);
    }

    [Fact]
    public void The_configuration_beside_it_gives_the_marks()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.File("tokenizer.json"), Json());
        File.WriteAllText(folder.File("tokenizer_config.json"), """{"bos_token":{"content":"a"},"eos_token":"c"}""");

        Tokenizer tokenizer = PretrainedTokenizer.Load(folder.Path);

        Assert.Equal((0, 2), (tokenizer.BosToken, tokenizer.EosToken));
    }

    public static TheoryData<string, string> Unusable => new()
    {
        { "nonsense", "is not valid JSON at column 2" },
        { "[]", "not a valid tokenizer.json" },
        { "{}", "not a valid tokenizer.json" },
        { Json(preTokenizer: "null"), "no ByteLevel" },
        { Json(preTokenizer: """{"type":"Metaspace"}"""), "'Metaspace'" },
        { Json(preTokenizer: """{"type":"Split","pattern":{"Regex":"("},"behavior":"Isolated"}"""), "no ByteLevel" },
        { Json(preTokenizer: """{"type":"Sequence","pretokenizers":[{"type":"Split","pattern":{"Regex":"("},"behavior":"Isolated"},{"type":"ByteLevel"}]}"""), "add_prefix_space" },
        { Json(merges: """["a"]"""), "merge 1" },
        { Json(merges: """[["a", null]]"""), "null stands where a text is needed" },
        { Json(preTokenizer: """{"type":"Split","pattern":{"Regex":null},"behavior":"Isolated"}"""), "null stands where a text is needed" },
        { Json().Replace("\"normalizer\":null", "\"post_processor\":{\"type\":\"TemplateProcessing\",\"special_tokens\":{},\"single\":[{\"SpecialToken\":{\"id\":null}}]}"), "null stands where a text is needed" },
        { Json(merges: """["a b","x y"]"""), "merge 2" },
        { Json(vocabulary: """{"a":0,"b":0}"""), "'b'" },
        { Json(vocabulary: """{"a":-1}"""), "'a'" },
        { Json(vocabulary: """{"a":2000000000}"""), "'a'" },
        { Json(vocabulary: "{}"), "empty" },
        { Json().Replace("\"BPE\"", "\"Unigram\""), "'Unigram'" },
        { Json().Replace("\"normalizer\":null", "\"normalizer\":{\"type\":\"NFKC\"}"), "'NFKC'" },
    };

    [Theory]
    [MemberData(nameof(Unusable))]
    public void What_cannot_be_used_is_one_error(string json, string expected)
    {
        TokenizerException error = Assert.Throws<TokenizerException>(() => Load(json));

        Assert.Contains(expected, error.Message);
        Assert.Contains("tokenizer.json", error.Message);
    }

    [Theory]
    [InlineData("tokenizer.json")]
    [InlineData("tokenizer_config.json")]
    [InlineData("vocab.json")]
    [InlineData("merges.txt")]
    [InlineData("tok.bin")]
    public void A_git_lfs_pointer_is_named_as_what_it_is(string name)
    {
        using var folder = new TemporaryFolder();
        if (name == "tokenizer_config.json")
        {
            File.WriteAllText(folder.File("tokenizer.json"), Json());
        }

        if (name is "vocab.json" or "merges.txt")
        {
            File.WriteAllText(folder.File("vocab.json"), """{"a":0}""");
            File.WriteAllText(folder.File("merges.txt"), "");
        }

        File.WriteAllText(folder.File(name), "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 2104556\n");

        string message = Assert.Throws<TokenizerException>(() => PretrainedTokenizer.Load(folder.Path)).Message;

        Assert.Contains(name, message);
        Assert.Contains("Git LFS pointer", message);
    }

    [Fact]
    public void Of_two_merges_of_one_pair_the_last_counts()
    {
        // As the first, it would come before "b c", and "abc" would be ab, c. Hugging Face's tokenizers 0.22 gives a, bc.
        Assert.Equal([0, 4], Load(Json(merges: """["a b","b c","a b"]""", vocabulary: """{"a":0,"b":1,"c":2,"ab":3,"bc":4}""")).Encode("abc"));
    }

    [Fact]
    public void A_byte_order_mark_is_passed_over()
    {
        Assert.Equal([3], Load('\uFEFF' + Json()).Encode("ab"));
    }

    [Fact]
    public void Nothing_to_load_is_one_error()
    {
        using var folder = new TemporaryFolder();

        Assert.Throws<TokenizerException>(() => PretrainedTokenizer.Load(folder.Path));
        Assert.Throws<TokenizerException>(() => PretrainedTokenizer.Load(folder.File("absent.json")));
        File.WriteAllText(folder.File("encoder.json"), """{"a":0}""");
        Assert.Contains("vocab.bpe", Assert.Throws<TokenizerException>(() => PretrainedTokenizer.Load(folder.File("encoder.json"))).Message);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(4)]
    [InlineData(11)]
    [InlineData(5000)]
    public void A_truncated_llama2c_file_is_one_error(int length)
    {
        using var folder = new TemporaryFolder();
        var bytes = new List<byte>(BitConverter.GetBytes(6));
        for (int id = 0; id < 300; id++)
        {
            byte[] piece = System.Text.Encoding.ASCII.GetBytes(id is >= 3 and < 259 ? $"<0x{id - 3:X2}>" : $"t{id}");
            bytes.AddRange([.. BitConverter.GetBytes(0f), .. BitConverter.GetBytes(piece.Length), .. piece]);
        }

        File.WriteAllBytes(folder.File("tok.bin"), [.. bytes]);
        Assert.Equal(300, PretrainedTokenizer.Load(folder.Path).VocabularySize);
        File.WriteAllBytes(folder.File("tok.bin"), [.. bytes.Take(Math.Min(length, bytes.Count - 1))]);

        Assert.Contains("tok.bin", Assert.Throws<TokenizerException>(() => PretrainedTokenizer.Load(folder.Path)).Message);
    }

    private static ByteLevelBpe Load(string json)
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.File("tokenizer.json"), json);
        return ByteLevelBpe.Load(folder.File("tokenizer.json"));
    }

    private static string Json(
        string merges = Merges, string vocabulary = """{"a":0,"b":1,"c":2,"ab":3,"abc":4}""", string added = "", string preTokenizer = ByteLevel, string ignoreMerges = "false") =>
        $$$"""
        {"version":"1.0","added_tokens":[{{{added}}}],"normalizer":null,"pre_tokenizer":{{{preTokenizer}}},
         "model":{"type":"BPE","ignore_merges":{{{ignoreMerges}}},"vocab":{{{vocabulary}}},"merges":{{{merges}}}}}
        """;
}
