using ModelCompiler.HuggingFace.Tokenizers;
using ModelCompiler.Tests.Files;

namespace ModelCompiler.Tests.Tokenizers;

/// <summary>Tokenizers of a few letters, so that expected ids can be read off.</summary>
internal static class SmallTokenizer
{
    public const string ByteLevel = """{"type":"ByteLevel","add_prefix_space":false}""";
    public const string Vocabulary = """{"a":0,"b":1,"c":2,"ab":3,"abc":4,"Ġ":5,"<":6,">":7,"/":8,"s":9,".":10}""";
    public const int Size = 11;

    /// <summary>Loads a folder with these files.</summary>
    public static ByteLevelBpe Load(
        string merges = """["a b","ab c"]""",
        string vocabulary = Vocabulary,
        string added = "",
        string preTokenizer = ByteLevel,
        string normalizer = "null",
        string postProcessor = "null",
        string? config = null)
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.File("tokenizer.json"), Json(merges, vocabulary, added, preTokenizer, normalizer, postProcessor));
        if (config is not null)
        {
            File.WriteAllText(folder.File("tokenizer_config.json"), config);
        }

        return (ByteLevelBpe)PretrainedTokenizer.Load(folder.Path);
    }

    /// <summary>An entry of added_tokens with some of its keys.</summary>
    public static string Added(int id, string content, string keys = "\"special\":true") => $$"""{"id":{{id}},"content":"{{content}}",{{keys}}}""";

    private static string Json(string merges, string vocabulary, string added, string preTokenizer, string normalizer, string postProcessor) =>
        $$$"""
        {"version":"1.0","added_tokens":[{{{added}}}],"normalizer":{{{normalizer}}},"pre_tokenizer":{{{preTokenizer}}},"post_processor":{{{postProcessor}}},
         "model":{"type":"BPE","vocab":{{{vocabulary}}},"merges":{{{merges}}}}}
        """;
}
