using System.Text.Json;

namespace ModelCompiler.Cli.Tests;

/// <summary>The same short run for several recipes over one base.</summary>
public class CompareTests(TinyBase tiny) : IClassFixture<TinyBase>
{
    [Fact]
    public void Every_recipe_gets_the_same_run_and_a_row()
    {
        string[] line = ["compare", "--base", tiny.Base, "--data", tiny.Data, "--evaluate", tiny.Data, "--methods", "Stories260K_Lora", "DyLoRA", "--steps", "3", "--seeds", "2", "--sequence", "64", "--learning-rate", "0.01", "--threads", "1", "--json"];
        Outcome outcome = Mc.Run(line);
        Assert.True(outcome.Code == 0, outcome.Error);
        JsonElement json = outcome.Json();
        Assert.Equal("Stories260K", json.GetProperty("architecture").GetString());
        JsonElement[] methods = [.. json.GetProperty("methods").EnumerateArray()];
        Assert.Equal(["Stories260K_Lora", "Stories260K_DyLora"], methods.Select(m => m.GetProperty("name").GetString()));
        Assert.Equal(["LoRA", "DyLoRA"], methods.Select(m => m.GetProperty("method").GetString()));
        foreach (JsonElement method in methods)
        {
            // Rank 8 on the seven linears of each of five layers.
            Assert.Equal(5 * 8 * (2 * 128 + 2 * 96 + 3 * 236), method.GetProperty("trainable").GetInt64());
            // Other tests of this process allocate at the same time.
            Assert.True(method.GetProperty("memory").GetProperty("allocated").GetInt64() >= method.GetProperty("memory").GetProperty("predicted").GetInt64());
            double[] losses = [.. method.GetProperty("loss").EnumerateArray().Select(l => l.GetDouble())];
            Assert.Equal(2, losses.Distinct().Count());
            Assert.All(losses, loss => Assert.True(loss < json.GetProperty("lossBefore").GetDouble()));
            Assert.Equal(losses.Average(), method.GetProperty("meanLoss").GetDouble(), 1e-12);
            Assert.Equal(Math.Abs(losses[0] - losses[1]) / Math.Sqrt(2), method.GetProperty("deviation").GetDouble(), 1e-12);
        }

        // Nested adapters are evaluated at every power of two; the last is what the table says.
        Assert.False(methods[0].TryGetProperty("nested", out _));
        JsonElement[] nested = [.. methods[1].GetProperty("nested").EnumerateArray()];
        Assert.Equal([1, 2, 4, 8], nested.Select(n => n.GetProperty("rank").GetInt32()));
        Assert.Equal(4, nested.Select(n => n.GetProperty("mean").GetDouble()).Distinct().Count());
        Assert.Equal(methods[1].GetProperty("meanLoss").GetDouble(), nested[^1].GetProperty("mean").GetDouble(), 1e-12);
        Assert.Equal(methods[1].GetProperty("deviation").GetDouble(), nested[^1].GetProperty("deviation").GetDouble(), 1e-12);

        // Saved a token and layer: input, q, k, v, attention output with its log-sum-exp, residual, gate, up, two rstd, seven low-rank
        // values. Nothing goes back through the lowest layer's first norm, so its rstd is not kept.
        Assert.Equal(5 * (64 + 64 + 2 * 32 + 64 + 8 + 64 + 2 * 172 + 2 + 7 * 8) - 1, methods[0].GetProperty("savedPerToken").GetInt64());

        // The same command is the same run.
        double[] again = [.. Mc.Run(line).Json().GetProperty("methods").EnumerateArray().Select(m => m.GetProperty("meanLoss").GetDouble())];
        Assert.Equal(methods.Select(m => m.GetProperty("meanLoss").GetDouble()), again);
    }

    [Fact]
    public void What_cannot_be_compared_is_said()
    {
        Mc.Run(["compare", "--base", tiny.Base, "--data", tiny.Data, "--methods", "Magic"]).AssertRefused(2, "'Magic'");
        Mc.Run(["compare", "--base", tiny.Base, "--data", tiny.Data, "--methods", "Llama2_7B_Lora"]).AssertRefused(2, "config.json", "'hidden_size' is 64", "Llama2_7B is described with 4096");
        Mc.Run(["compare", "--base", tiny.Base, "--data", tiny.Data, "--methods", "Llama2_7B_Lora", "Llama3_8B_QLora"]).AssertRefused(2, "no recipe of --methods");
        string nothing = tiny.NewFolder();
        Mc.Run(["compare", "--base", nothing, "--data", tiny.Data]).AssertRefused(2, nothing);
    }
}
