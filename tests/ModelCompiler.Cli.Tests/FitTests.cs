using System.Text.Json;

namespace ModelCompiler.Cli.Tests;

public class FitTests
{
    [Fact]
    public void The_best_plan_is_the_result_of_a_plan()
    {
        Outcome outcome = Mc.Run("plan Llama3_8B_QLora --fit --budget 24GiB --sequence 1024 --threads 2 --json");
        Assert.Equal(0, outcome.Code);
        JsonElement json = outcome.Json();
        JsonElement plan = json.GetProperty("plan");
        long peak = json.GetProperty("peak").GetInt64();
        Assert.True(json.GetProperty("fits").GetBoolean() && peak <= 24L << 30);
        Assert.Equal(1024, plan.GetProperty("sequence").GetInt32());
        Assert.Equal(16, plan.GetProperty("batch").GetInt32() * plan.GetProperty("gradientAccumulation").GetInt32());

        // The same choices by hand are the same plan.
        string Text(string name) => plan.GetProperty(name).ToString();
        JsonElement again = Mc.Run(
            $"plan Llama3_8B_QLora --batch {Text("batch")} --sequence 1024 --gradient-accumulation {Text("gradientAccumulation")} --checkpointing {Text("checkpointing")} " +
            $"--optimizer {Text("optimizer")} --storage {Text("storage")} --threads 2 --json").Json();
        Assert.Equal(peak, again.GetProperty("peak").GetInt64());
        Assert.Equal(json.GetProperty("flopsPerStep").GetDouble(), again.GetProperty("flopsPerStep").GetDouble());

        JsonElement fit = json.GetProperty("fit");
        Assert.True(fit.GetProperty("tokensPerSecond").GetDouble() > 0);
        Assert.Contains("[MemoryBudget(\"24 GiB\", ", fit.GetProperty("attributes").EnumerateArray().Last().GetString(), StringComparison.Ordinal);
        Assert.NotEmpty(fit.GetProperty("runnersUp").EnumerateArray());
        Assert.False(again.TryGetProperty("fit", out _));
    }

    [Fact]
    public void What_is_given_is_kept_and_the_objective_grows()
    {
        JsonElement Fit(string line) => Mc.Run($"plan Llama3_8B_QLora --fit --budget 24GiB --threads 2 --json {line}").Json().GetProperty("plan");
        JsonElement rank = Fit("--objective rank --sequence 1024 --batch 2 --checkpointing block --storage Int8 --optimizer adamw");
        Assert.Equal(
            (2, 8, "block", "Int8", "adamw"),
            (rank.GetProperty("batch").GetInt32(), rank.GetProperty("gradientAccumulation").GetInt32(), rank.GetProperty("checkpointing").GetString(), rank.GetProperty("storage").GetString(), rank.GetProperty("optimizer").GetString()));
        Assert.True(rank.GetProperty("rank").GetInt32() > 56);
        Assert.True(Fit("--objective rank --sequence 1024").GetProperty("rank").GetInt32() > rank.GetProperty("rank").GetInt32());
        Assert.True(Fit("--objective sequence").GetProperty("sequence").GetInt32() > 1024);
        Assert.Equal(6, Fit("--sequence 64 --step-batch 6 --gradient-accumulation 1 --batch 6").GetProperty("batch").GetInt32());
        Assert.Equal("BFloat16", Fit("--saved-activations BFloat16").GetProperty("savedActivations").GetString());
    }

    [Fact]
    public void Where_nothing_fits_the_smallest_plan_says_what_is_missing()
    {
        Outcome outcome = Mc.Run("plan Llama3_8B_QLora --fit --budget 2GiB --sequence 1024 --json");
        Assert.Equal(3, outcome.Code);
        JsonElement json = outcome.Json();
        Assert.False(json.GetProperty("fits").GetBoolean());
        Assert.Equal(json.GetProperty("peak").GetInt64() - (2L << 30), json.GetProperty("fit").GetProperty("missing").GetInt64());
        Assert.Equal("frozen weights", json.GetProperty("fit").GetProperty("largestTerm").GetString());
        Assert.Contains("nothing fits: the smallest plan takes", outcome.Error, StringComparison.Ordinal);
        Assert.Contains("its largest term is frozen weights", outcome.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void People_read_the_plan_its_rivals_and_the_attributes()
    {
        string text = Mc.Run("plan Stories260K_Lora --fit --budget 98MiB --objective rank --sequence 64 --calibrate").Output;
        Assert.Contains("best by rank", text, StringComparison.Ordinal);
        Assert.Contains("rank 32", text, StringComparison.Ordinal);
        Assert.Contains("the best with other checkpointing or another optimizer:", text, StringComparison.Ordinal);
        Assert.Contains("[Lora(Rank = 32, Alpha = 16)]", text, StringComparison.Ordinal);
        Assert.Contains("[MemoryBudget(\"98 MiB\"", text, StringComparison.Ordinal);
    }
}
