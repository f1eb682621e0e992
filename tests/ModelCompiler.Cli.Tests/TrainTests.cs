using System.Text.Json;
using ModelCompiler.CommandLine;

namespace ModelCompiler.Cli.Tests;

public class TrainTests(TinyBase tiny) : IClassFixture<TinyBase>
{
    private string[] Train(string output, params string[] more) =>
    [
        "train", "Stories260K_Lora", "--base", tiny.Base, "--data", tiny.Data, "--out", output, "--batch", "2", "--sequence", "64", "--threads", "1",
        "--learning-rate", "0.01", "--json", .. more,
    ];

    [Fact]
    public void Adapters_of_nested_ranks_are_evaluated_at_one_rank_or_all()
    {
        string output = tiny.NewFolder();
        Outcome trained = Mc.Run(["train", "Stories260K_DyLora", "--base", tiny.Base, "--data", tiny.Data, "--out", output, "--steps", "3", "--sequence", "64", "--threads", "1", "--learning-rate", "0.01"]);
        Assert.True(trained.Code == 0, trained.Error);
        string[] evaluate = ["evaluate", "Stories260K_DyLora", "--base", tiny.Base, "--adapter", output, "--data", tiny.Data, "--sequence", "64", "--threads", "1", "--json", "--rank"];
        Outcome all = Mc.Run([.. evaluate, "all"]);
        Assert.True(all.Code == 0, all.Error);
        var losses = all.Json().GetProperty("ranks").EnumerateArray().ToDictionary(r => r.GetProperty("rank").GetInt32(), r => r.GetProperty("loss").GetDouble());
        Assert.Equal(Enumerable.Range(1, 8), losses.Keys);
        Assert.Equal(losses.Values.Min(), all.Json().GetProperty("loss").GetDouble());
        Assert.Equal(losses[3], Mc.Run([.. evaluate, "3"]).Json().GetProperty("loss").GetDouble());
        Assert.True(losses.Values.Distinct().Count() > 4);
        Mc.Run([.. evaluate, "9"]).AssertRefused(2, "from 1 to 8");
    }

    [Fact]
    public void Train_then_evaluate_and_generate_with_the_adapter()
    {
        string output = tiny.NewFolder();
        Outcome trained = Mc.Run(Train(output, "--steps", "12", "--evaluate", tiny.Data));
        Assert.True(trained.Code == 0, trained.Error);
        JsonElement json = trained.Json();
        Assert.Equal(12, json.GetProperty("loss").GetArrayLength());
        double before = json.GetProperty("evalLoss").GetProperty("before").GetDouble();
        double after = json.GetProperty("evalLoss").GetProperty("after").GetDouble();
        Assert.True(after < before - 0.1, $"{before} to {after}");
        JsonElement memory = json.GetProperty("memory");
        Assert.Equal(memory.GetProperty("predicted").GetInt64(), PlannedArena("--batch 2 --sequence 64 --threads 1"));
        Assert.True(memory.GetProperty("allocated").GetInt64() >= memory.GetProperty("predicted").GetInt64());
        Assert.True(memory.GetProperty("resident").GetInt64() > memory.GetProperty("predicted").GetInt64());
        Assert.Equal(8, json.GetProperty("ranks").GetProperty("Attention.Query").GetInt32());
        Assert.True(json.GetProperty("tokensPerSecond").GetDouble() > 0);
        Assert.Equal(output, json.GetProperty("out").GetString());
        Assert.Equal(12, File.ReadAllLines(Path.Combine(output, "metrics.jsonl")).Length);
        Assert.True(File.Exists(Path.Combine(output, "adapter_config.json")));

        string[] evaluate = ["evaluate", "Stories260K_Lora", "--base", tiny.Base, "--data", tiny.Data, "--batch", "2", "--sequence", "64", "--threads", "1", "--json"];
        Assert.Equal(before, Mc.Run(evaluate).Json().GetProperty("loss").GetDouble(), 6);
        JsonElement tuned = Mc.Run([.. evaluate, "--adapter", output]).Json();
        Assert.Equal(after, tuned.GetProperty("loss").GetDouble(), 6);
        Assert.Equal(Math.Exp(after), tuned.GetProperty("perplexity").GetDouble(), 3);
        Assert.True(tuned.GetProperty("tokens").GetInt64() > 60);

        string[] generate = ["generate", "Stories260K_Lora", "--base", tiny.Base, "--adapter", output, "--prompt", "say red", "--max-tokens", "5", "--threads", "1"];
        Outcome generated = Mc.Run([.. generate, "--json"]);
        Assert.Equal(0, generated.Code);
        string text = generated.Json().GetProperty("text").GetString()!;
        Assert.True(generated.Json().GetProperty("tokensPerSecond").GetDouble() > 0);
        Assert.Equal(text, Mc.Run(generate).Output.TrimEnd('\n', '\r'));
    }

    [Fact]
    public void A_plan_that_the_machine_cannot_hold_is_refused_before_the_weights_are_read()
    {
        string damaged = tiny.CopyBase();
        File.WriteAllText(Path.Combine(damaged, "model.safetensors"), "no weights");
        Outcome refused = Mc.Run(["train", "Stories260K_Lora", "--base", damaged, "--data", tiny.Data, "--out", tiny.NewFolder(), "--batch", "1000000", "--sequence", "512", "--threads", "1"]);
        refused.AssertRefused(3, "Stories260K_Lora takes ", " TiB by its plan", "free");
    }

    [Fact]
    public void The_optimizer_is_chosen_on_the_command_line_and_belongs_to_the_run()
    {
        string output = tiny.NewFolder();
        string[] train = Train(output, "--steps", "3", "--rank", "32", "--optimizer", "adamw8bit");
        JsonElement json = Mc.Run(train).Json();
        Assert.Equal(
            PlannedArena("--batch 2 --sequence 64 --threads 1 --rank 32 --optimizer adamw8bit"),
            json.GetProperty("memory").GetProperty("predicted").GetInt64());
        Mc.Run([.. Train(output, "--steps", "3", "--rank", "32"), "--resume"]).AssertRefused(2, "optimizer was 'AdamW8Bit", "now 'AdamW,");
    }

    [Fact]
    public async Task An_interrupted_run_goes_on_to_the_same_result()
    {
        string whole = tiny.NewFolder();
        Assert.Equal(0, Mc.Run(Train(whole, "--steps", "4")).Code);
        string parts = tiny.NewFolder();
        using var interruption = new Interruption();
        int code = await ModelHost.RunAsync(Train(parts, "--steps", "4"), TextWriter.Null, interruption, "mc", interruption.Token);
        Assert.Equal(130, code);
        Assert.Contains("mc: interrupted after step 1 of 4", interruption.ToString(), StringComparison.Ordinal);
        Mc.Run(Train(parts, "--steps", "4")).AssertRefused(2, "resume");
        Assert.Equal(0, Mc.Run(Train(parts, "--steps", "4", "--resume")).Code);
        Assert.Equal(File.ReadAllBytes(Path.Combine(whole, "adapter_model.safetensors")), File.ReadAllBytes(Path.Combine(parts, "adapter_model.safetensors")));
    }

    [Fact]
    public void Logits_have_a_row_for_every_position_and_those_before_do_not_change()
    {
        float[][] Logits(string tokens) => [.. Mc.Run(["logits", "Stories260K", "--base", tiny.Base, "--tokens", tokens, "--threads", "1", "--json"]).Json()
            .GetProperty("logits").EnumerateArray().Select(row => row.EnumerateArray().Select(v => v.GetSingle()).ToArray())];
        float[][] three = Logits("5,6,7");
        Assert.Equal([512, 512, 512], three.Select(row => row.Length));
        float[][] two = Logits("5,6");
        Assert.All(two.Zip(three), pair => Assert.True(pair.First.Zip(pair.Second).All(v => Math.Abs(v.First - v.Second) < 1e-5)));
        Assert.NotEqual(three[0], three[1]);
    }

    [Fact]
    public void A_run_cancelled_before_its_first_step_says_so()
    {
        using var cancelled = new CancellationTokenSource();
        cancelled.Cancel();
        string output = tiny.NewFolder();
        Mc.Run(Train(output), cancelled.Token).AssertRefused(130, "interrupted after step 0");
        Assert.False(File.Exists(Path.Combine(output, "adapter_model.safetensors")));
    }

    /// <summary>Standard error that interrupts the run at its first line of progress: after the first step.</summary>
    private sealed class Interruption : StringWriter
    {
        private readonly CancellationTokenSource _source = new();

        public CancellationToken Token => _source.Token;

        public override void WriteLine(string? value)
        {
            base.WriteLine(value);
            _source.Cancel();
        }

        protected override void Dispose(bool disposing)
        {
            _source.Dispose();
            base.Dispose(disposing);
        }
    }

    private static long PlannedArena(string line)
    {
        JsonElement plan = Mc.Run($"plan Stories260K_Lora --json {line}").Json();
        return plan.GetProperty("peak").GetInt64() - plan.GetProperty("bytes").GetProperty("overhead").GetInt64();
    }
}
