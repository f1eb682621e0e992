using System.Text.Json;

namespace ModelCompiler.Cli.Tests;

/// <summary>Marks around texts and the ends of generated ones, as the files of a base say.</summary>
public class MarkTests(TinyBase tiny) : IClassFixture<TinyBase>
{
    [Fact]
    public void A_begin_mark_is_put_before_rows_only_where_the_files_say_so()
    {
        double Loss(string? config) => Evaluate(With("tokenizer_config.json", config)).Json().GetProperty("loss").GetDouble();

        double bare = Loss(null);

        Assert.Equal(bare, Loss("""{"bos_token":"<|endoftext|>","eos_token":"<|endoftext|>"}"""));
        Assert.Equal(bare, Loss("""{"bos_token":"<|endoftext|>","eos_token":"<|endoftext|>","add_bos_token":false,"add_eos_token":false}"""));
        Assert.NotEqual(bare, Loss("""{"bos_token":"<|endoftext|>","eos_token":"<|endoftext|>","add_bos_token":true}"""));
    }

    [Fact]
    public void An_end_token_that_the_vocabulary_lacks_is_refused()
    {
        Evaluate(With("tokenizer_config.json", """{"eos_token":"<|im_end|>"}""")).AssertRefused(2, "tokenizer_config.json", "<|im_end|>");
    }

    [Fact]
    public void Generation_stops_at_every_end_token_that_the_files_name()
    {
        int[] all = [.. Enumerable.Range(0, 512)];

        JsonElement free = Generate(tiny.Base, "say red").Json();
        JsonElement stopped = Generate(With("generation_config.json", $$"""{"eos_token_id":{{JsonSerializer.Serialize(all)}}}"""), "say red").Json();

        Assert.Equal(("MaximumTokens", 4), (free.GetProperty("stopReason").GetString(), free.GetProperty("tokens").GetInt32()));
        Assert.Equal(("EndOfText", 0), (stopped.GetProperty("stopReason").GetString(), stopped.GetProperty("tokens").GetInt32()));
        Generate(With("generation_config.json", """{"eos_token_id":[0,600]}"""), "say red").AssertRefused(2, "generation_config.json", "600");
    }

    [Fact]
    public void Marks_that_rows_carry_are_counted_and_said()
    {
        string data = tiny.Write("marked.jsonl", """
            {"prompt": "say red: ", "completion": "red<|endoftext|>"}
            {"prompt": "say <|endoftext|>: ", "completion": "blue"}
            """);

        Outcome outcome = Evaluate(tiny.Base, data);

        JsonElement marks = outcome.Json().GetProperty("data").GetProperty("marks");
        Assert.Equal((0, 1, 1), (marks.GetProperty("begun").GetInt32(), marks.GetProperty("ended").GetInt32(), marks.GetProperty("spelledAsText").GetInt32()));
        Assert.Contains("end mark, which was not added again: 1", outcome.Error);
        Assert.Contains("text there and not tokens: 1", outcome.Error);
    }

    [Fact]
    public void Special_tokens_of_a_prompt_are_tokens_where_that_is_asked_for()
    {
        Assert.Contains("not tokens: 1", Generate(tiny.Base, "a<|endoftext|>b").Error);
        Assert.DoesNotContain("not tokens", Generate(tiny.Base, "a<|endoftext|>b", "--special-tokens").Error);
    }

    private Outcome Evaluate(string basePath, string? data = null) =>
        Mc.Run(["evaluate", "Stories260K", "--base", basePath, "--data", data ?? tiny.Data, "--sequence", "64", "--threads", "1", "--json"]);

    private static Outcome Generate(string basePath, string prompt, params string[] more) =>
        Mc.Run(["generate", "Stories260K", "--base", basePath, "--prompt", prompt, "--max-tokens", "4", "--threads", "1", "--json", .. more]);

    private string With(string name, string? text)
    {
        string folder = tiny.CopyBase();
        if (text is not null)
        {
            File.WriteAllText(Path.Combine(folder, name), text);
        }

        return folder;
    }
}
