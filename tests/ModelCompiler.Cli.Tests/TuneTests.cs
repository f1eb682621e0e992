using System.Text.Json;
using System.Xml.Linq;

namespace ModelCompiler.Cli.Tests;

public sealed class TuneTests(TinyBase files) : IClassFixture<TinyBase>
{
    private const string Quick = "--sequence 16 --steps 1 --warmup-steps 0 --seconds 0 --threads 1";

    [Fact]
    public void Every_kind_of_checkpointing_is_measured_over_batches()
    {
        string report = Path.Combine(files.Folder, "tune.html");
        Outcome outcome = Mc.Run($"tune Stories260K_Lora {Quick} --largest-batch 4 --report {report} --json");
        Assert.Equal(0, outcome.Code);
        JsonElement json = outcome.Json();
        JsonElement[] points = [.. json.GetProperty("points").EnumerateArray()];
        Assert.Equal(["none", "selective", "block"], points.Select(p => p.GetProperty("checkpointing").GetString()).Distinct());
        foreach (IGrouping<string?, JsonElement> policy in points.GroupBy(p => p.GetProperty("checkpointing").GetString()))
        {
            int[] batches = [.. policy.Select(p => p.GetProperty("batch").GetInt32())];
            Assert.Equal(new[] { 1, 2, 4 }.Take(batches.Length), batches);
            Assert.True(batches.Length >= 2, "a second batch is always tried");
        }

        // What is measured is the plan of that batch, and what is recommended was measured.
        Assert.All(points, p =>
        {
            string line = $"plan Stories260K_Lora --sequence 16 --threads 1 --batch {p.GetProperty("batch").GetInt32()} --checkpointing {p.GetProperty("checkpointing").GetString()} --json";
            Assert.Equal(Mc.Run(line).Json().GetProperty("peak").GetInt64(), p.GetProperty("peak").GetInt64());
            Assert.True(p.GetProperty("tokensPerSecond").GetDouble() > 0);
        });
        Assert.Contains(json.GetProperty("best").ToString(), points.Select(p => p.ToString()));

        XDocument page = XDocument.Parse(File.ReadAllText(report)["<!DOCTYPE html>".Length..]);
        Assert.Equal(3, page.Descendants().Count(e => e.Name.LocalName == "polyline"));
        Assert.Equal(points.Length, page.Descendants().Single(e => e.Name.LocalName == "tbody").Elements().Count());
    }

    [Fact]
    public void A_budget_and_given_choices_are_kept_over_a_base_and_its_data()
    {
        long peak = Mc.Run("plan Stories260K_Lora --sequence 16 --threads 1 --batch 2 --checkpointing none --json").Json().GetProperty("peak").GetInt64();
        Outcome outcome = Mc.Run($"tune Stories260K_Lora {Quick} --checkpointing none --budget {peak}B --base {files.Base} --data {files.Data} --json");
        Assert.Equal(0, outcome.Code);
        JsonElement json = outcome.Json();
        Assert.All(json.GetProperty("points").EnumerateArray(), p => Assert.True(p.GetProperty("peak").GetInt64() <= peak && p.GetProperty("checkpointing").GetString() == "none"));
        Assert.True(json.GetProperty("ends").EnumerateArray().Single().GetProperty("batch").GetInt32() <= 4);

        JsonElement pinned = Mc.Run($"tune Stories260K_Lora {Quick} --checkpointing 2 --batch 3 --json").Json();
        JsonElement only = Assert.Single(pinned.GetProperty("points").EnumerateArray());
        Assert.Equal((3, "2"), (only.GetProperty("batch").GetInt32(), only.GetProperty("checkpointing").GetString()));
    }

    [Fact]
    public void People_see_bars_and_a_recommendation()
    {
        string text = Mc.Run($"tune Stories260K_Lora {Quick} --largest-batch 2 --checkpointing selective").Output;
        Assert.Contains("selective, batch 1", text, StringComparison.Ordinal);
        Assert.Contains("█", text, StringComparison.Ordinal);
        Assert.Contains("recommended: --batch ", text, StringComparison.Ordinal);
    }

    [Fact]
    public void What_fits_no_budget_is_3_and_what_fits_no_machine_is_2()
    {
        Mc.Run("tune Stories260K_Lora --budget 1MiB").AssertRefused(3, "no plan fits the budget of 1.00 MiB", "largest term is overhead");
        Outcome machine = Mc.Run("tune Llama_65B_QLora --sequence 2048 --batch 1024 --checkpointing none");
        Assert.Equal(2, machine.Code);
        Assert.Contains("no plan fits this machine", machine.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Interrupted_it_leaves_with_130_and_without_a_result()
    {
        using var cancelled = new CancellationTokenSource();
        cancelled.Cancel();
        Outcome outcome = Mc.Run(["tune", "Stories260K_Lora", "--sequence", "16"], cancelled.Token);
        Assert.Equal((130, ""), (outcome.Code, outcome.Output));
        Assert.Contains("interrupted", outcome.Error, StringComparison.Ordinal);
    }
}
