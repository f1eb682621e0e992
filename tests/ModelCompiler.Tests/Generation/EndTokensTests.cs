using ModelCompiler.HuggingFace.Config;
using ModelCompiler.Safetensors;
using ModelCompiler.Tests.Data;
using ModelCompiler.Tests.Files;

namespace ModelCompiler.Tests.Generation;

public class EndTokensTests
{
    [Theory]
    [InlineData(null, null, new[] { 2 })]
    [InlineData("""{"eos_token_id":7}""", null, new[] { 2, 7 })]
    [InlineData("""{"eos_token_id":[2,7]}""", """{"eos_token_id":[8,7]}""", new[] { 2, 7, 8 })]
    [InlineData(null, """{"eos_token_id":9}""", new[] { 2, 9 })]
    [InlineData("""{"eos_token_id":null}""", """{"eos_token_id":[]}""", new[] { 2 })]
    [InlineData("""{"model_type":"llama"}""", "{}", new[] { 2 })]
    public void All_that_the_files_name(string? config, string? generation, int[] expected)
    {
        using TemporaryFolder folder = Folder(config, generation);

        Assert.Equal(expected, EndTokens.Read(folder.Path, new LetterTokenizer(), 29));
    }

    [Fact]
    public void A_tokenizer_without_one_adds_none()
    {
        using TemporaryFolder folder = Folder(null, """{"eos_token_id":5}""");

        Assert.Equal([5], EndTokens.Read(folder.Path, new LetterTokenizer(marks: false), 29));
    }

    [Theory]
    [InlineData("""{"eos_token_id":29}""", "29")]
    [InlineData("""{"eos_token_id":[2,100]}""", "100")]
    [InlineData("""{"eos_token_id":-1}""", "eos_token_id")]
    [InlineData("""{"eos_token_id":"</s>"}""", "eos_token_id")]
    [InlineData("""{"eos_token_id":[2,null]}""", "eos_token_id")]
    [InlineData("""{"eos_token_id":2.5}""", "eos_token_id")]
    [InlineData("version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 2\n", "Git LFS pointer")]
    public void What_is_no_token_of_the_model_is_an_error(string generation, string expected)
    {
        using TemporaryFolder folder = Folder("{}", generation);

        string message = Assert.Throws<CheckpointException>(() => EndTokens.Read(folder.Path, new LetterTokenizer(), 29)).Message;

        Assert.Contains("generation_config.json", message);
        Assert.Contains(expected, message);
    }

    private static TemporaryFolder Folder(string? config, string? generation)
    {
        var folder = new TemporaryFolder();
        foreach ((string name, string? text) in (ReadOnlySpan<(string, string?)>)[("config.json", config), ("generation_config.json", generation)])
        {
            if (text is not null)
            {
                File.WriteAllText(folder.File(name), text);
            }
        }

        return folder;
    }
}
