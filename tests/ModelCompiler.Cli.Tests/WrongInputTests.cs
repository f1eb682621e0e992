using ModelCompiler.CommandLine;
using ModelCompiler.Models;
using ModelCompiler.Tests;

namespace ModelCompiler.Cli.Tests;

public class WrongInputTests(TinyBase tiny) : IClassFixture<TinyBase>
{
    private static readonly string s_quickstart = Path.Combine(TestData.Repository, "models", "quickstart");

    [Fact]
    public void No_arguments_show_the_help()
    {
        Outcome outcome = Mc.Run("");
        Assert.Equal(0, outcome.Code);
        Assert.Contains("quickstart", outcome.Output, StringComparison.Ordinal);
        Assert.Equal(Mc.Run("--help").Output, outcome.Output);
    }

    [Theory]
    [InlineData("evaluat", "did you mean evaluate", "mc --help")]
    [InlineData("tran", "train")]
    [InlineData("qantize", "quantize")]
    [InlineData("plan Stories260K --btach 2", "'--btach'", "did you mean --batch", "mc plan --help")]
    [InlineData("plan Stories260K_Lor", "unknown recipe 'Stories260K_Lor'", "did you mean Stories260K_Lora")]
    [InlineData("plan llama2-7b-qlora", "Llama2_7B_QLora")]
    [InlineData("plan Stories260K --budget 24", "--budget needs a unit", "24GiB")]
    [InlineData("plan Stories260K --budget 0.5", "--budget needs a unit", "0.5GiB")]
    [InlineData("plan Stories260K --budget 1,5GiB", "--budget takes a size", "'1,5GiB'")]
    [InlineData("plan Stories260K --batch 99999999999", "--batch takes a whole number", "'99999999999'")]
    [InlineData("plan Stories260K --batch 1.5", "--batch takes a whole number", "'1.5'")]
    [InlineData("plan Stories260K --batch 1 --batch 2", "--batch")]
    [InlineData("plan Stories260K --seed x", "--seed takes a whole number", "'x'")]
    [InlineData("train Stories260K --base b --data d --out o --learning-rate NaN", "--learning-rate takes a number", "'NaN'")]
    [InlineData("train Stories260K --base b --data d --out o --learning-rate 1e400", "--learning-rate takes a number", "'1e400'")]
    [InlineData("train Stories260K --base b --data d --out o --learning-rate 1,5", "--learning-rate takes a number", "'1,5'")]
    [InlineData("evaluate Stories260K --base /nope --data x", "--base /nope", "no such folder")]
    [InlineData("evaluate Stories260K --base meta-llama/Llama-2-7b --data x", "no such folder", "downloaded first")]
    [InlineData("generate Stories260K --base /nope --prompt x", "--base /nope", "no such folder")]
    [InlineData("train Stories260K --base /nope --data x --out o", "--base /nope", "no such folder")]
    [InlineData("logits Stories260K --base /nope --tokens 1", "--base /nope", "no such folder")]
    [InlineData("compare --base /nope --data x", "--base /nope", "no such folder")]
    [InlineData("tune Stories260K --base /nope", "--base /nope", "no such folder")]
    [InlineData("plan Stories260K --base /nope", "--base /nope", "no such folder")]
    [InlineData("quantize Stories260K_QLora --base /nope --out o", "--base /nope", "no such folder")]
    [InlineData("merge Stories260K_Lora --base /nope --adapter a --out o", "--base /nope", "no such folder")]
    [InlineData("quickstart --base /nope", "--base /nope", "no such folder")]
    public void Wrong_input_is_one_line_that_says_what_to_write(string line, params string[] words) => Mc.Run(line).AssertRefused(2, words);

    [Fact]
    public void Three_names_are_suggested()
    {
        string error = Mc.Run("plan Stories260K_Lroa").Error;
        Assert.Contains("did you mean Stories260K_Lora, ", error, StringComparison.Ordinal);
        Assert.Equal(3, error.Split("Stories260K").Length - 2);
    }

    [Fact]
    public void What_a_folder_is_instead_of_a_base_is_said()
    {
        string path = Directory.CreateDirectory(tiny.NewFolder()).FullName;
        Assert.Contains("has no config.json", Evaluate(path).Error, StringComparison.Ordinal);
        File.WriteAllText(Path.Combine(path, "adapter_config.json"), "{}");
        Assert.Contains("is an adapter's folder; give it with --adapter", Evaluate(path).Error, StringComparison.Ordinal);
        File.WriteAllText(Path.Combine(path, "config.json"), "{}");
        File.WriteAllText(Path.Combine(path, "pytorch_model.bin"), "");
        Assert.Contains("pytorch_model.bin is not read: convert it", Evaluate(path).Error, StringComparison.Ordinal);
        Assert.Contains("is a file", Evaluate(Path.Combine(path, "config.json")).Error, StringComparison.Ordinal);

        static Outcome Evaluate(string folder) => Mc.Run(["evaluate", "Stories260K", "--base", folder, "--data", "x"]);
    }

    [Fact]
    public void A_base_of_another_model_is_told_before_its_tokenizer_is_read()
    {
        string folder = Directory.CreateDirectory(tiny.NewFolder()).FullName;
        foreach (string name in (ReadOnlySpan<string>)["config.json", "model.safetensors"])
        {
            File.Copy(Path.Combine(s_quickstart, name), Path.Combine(folder, name));
        }

        File.WriteAllText(Path.Combine(folder, "tokenizer.json"), "damaged");
        foreach (string[] command in (string[][])[["evaluate", "Stories260K", "--data", "x"], ["generate", "Stories260K", "--prompt", "x"], ["train", "Stories260K", "--data", "x", "--out", "o"]])
        {
            Mc.Run([.. command, "--base", folder]).AssertRefused(2, "config.json", "Stories260K");
        }
    }

    [Fact]
    public void A_prompt_that_begins_with_an_at_sign_is_text()
    {
        Outcome outcome = Mc.Run(["generate", "DocsWriter", "--base", s_quickstart, "--prompt", "@someone said", "--max-tokens", "1", "--json"]);
        Assert.Equal("@someone said", outcome.Json().GetProperty("prompt").GetString());
    }

    [Fact]
    public void Methods_stand_with_commas_or_spaces_between_them_and_unknown_ones_get_the_nearest()
    {
        string[] start = ["compare", "--base", s_quickstart, "--data", "none.jsonl", "--methods"];
        Mc.Run([.. start, "LoRA,Dorra"]).AssertRefused(2, "'Dorra'", "did you mean DoRA");
        Mc.Run([.. start, "lora, l1ra,LaMDA"]).AssertRefused(2, "none.jsonl");
        Mc.Run([.. start, "LoRA", "L1RA"]).AssertRefused(2, "none.jsonl");
    }

    [Fact]
    public async Task A_program_of_a_user_speaks_under_its_own_name()
    {
        Gallery.Register();
        using var output = new StringWriter();
        using var error = new StringWriter();
        Assert.Equal(2, await ModelHost.RunAsync(["plan"], output, error, "finetune"));
        Assert.Equal("finetune: finetune plan needs <recipe>; see finetune plan --help", error.ToString().Trim());
        Assert.Equal(0, await ModelHost.RunAsync(["--help"], output, error, "finetune"));
        Assert.Contains("finetune [command]", output.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("mc ", output.ToString(), StringComparison.Ordinal);
    }
}
