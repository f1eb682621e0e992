using System.Text.Json;

namespace ModelCompiler.Cli.Tests;

/// <summary>What commands say of the rows of their data.</summary>
public class DataRowTests(TinyBase tiny) : IClassFixture<TinyBase>
{
    [Fact]
    public void Train_and_evaluate_count_and_name_the_rows_that_they_drop()
    {
        string data = Rows("some.jsonl", good: 58, bad: 2);
        Outcome trained = Mc.Run(["train", "Stories260K_Lora", "--base", tiny.Base, "--data", data, "--evaluate", tiny.Data, "--out", tiny.NewFolder(), "--steps", "1", "--sequence", "64", "--threads", "1", "--truncate", "--json"]);
        Assert.True(trained.Code == 0, trained.Error);
        AssertCounts(trained.Json().GetProperty("data"), rows: 60, dropped: 2, truncated: 1);
        AssertCounts(trained.Json().GetProperty("evalData"), rows: 60, dropped: 0, truncated: 0);
        Assert.Contains("2 of 60 rows dropped", trained.Error);
        Assert.Contains("1 of 60 rows truncated to 64 tokens", trained.Error);
        Assert.Contains("some.jsonl, line 59: ", trained.Error);
        Assert.Contains("some.jsonl, line 60: ", trained.Error);

        Outcome evaluated = Mc.Run(["evaluate", "Stories260K", "--base", tiny.Base, "--data", data, "--sequence", "64", "--threads", "1", "--truncate", "--json"]);
        AssertCounts(evaluated.Json().GetProperty("data"), rows: 60, dropped: 2, truncated: 1);
        Mc.Run(["evaluate", "Stories260K", "--base", tiny.Base, "--data", data, "--sequence", "64", "--threads", "1", "--truncate", "--strict"])
            .AssertRefused(2, "some.jsonl, line 59", "completion");
        Mc.Run(["evaluate", "Stories260K", "--base", tiny.Base, "--data", data, "--sequence", "64", "--threads", "1", "--truncate", "--max-dropped", "1"])
            .AssertRefused(2, "2 of 60 rows", "at most 1", "line 59", "line 60");
    }

    [Fact]
    public void Compare_and_tune_count_rows_too()
    {
        string data = Rows("more.jsonl", good: 58, bad: 2);
        Outcome compared = Mc.Run(["compare", "--base", tiny.Base, "--data", data, "--methods", "Stories260K_Lora", "--steps", "1", "--sequence", "64", "--threads", "1", "--truncate", "--json"]);
        Assert.True(compared.Code == 0, compared.Error);
        AssertCounts(compared.Json().GetProperty("data"), rows: 60, dropped: 2, truncated: 1, examples: 55);
        Assert.Equal(JsonValueKind.Null, compared.Json().GetProperty("evalData").ValueKind);

        Outcome tuned = Mc.Run(["tune", "Stories260K_Lora", "--base", tiny.Base, "--data", data, "--sequence", "64", "--batch", "1", "--checkpointing", "none", "--steps", "1", "--warmup-steps", "0", "--seconds", "0", "--threads", "1", "--json"]);
        Assert.True(tuned.Code == 0, tuned.Error);
        AssertCounts(tuned.Json().GetProperty("data"), rows: 60, dropped: 2, truncated: 1);
    }

    /// <summary>Seven rows in steps of four, whatever a step is divided into.</summary>
    [Fact]
    public void Batches_and_accumulated_batches_learn_the_same_rows()
    {
        string data = tiny.Write("seven.jsonl", string.Concat(File.ReadLines(tiny.Data).Take(7).Select((row, i) => i % 2 == 0 ? row + "\n" : row.Replace("say ", "please say it again ", StringComparison.Ordinal) + "\n")));
        double[] Losses(int batch, int accumulate) =>
            [.. Mc.Run(["train", "Stories260K_Lora", "--base", tiny.Base, "--data", data, "--out", tiny.NewFolder(), "--steps", "3", "--sequence", "64", "--threads", "1",
                "--learning-rate", "0.01", "--batch", $"{batch}", "--gradient-accumulation", $"{accumulate}", "--json"]).Json().GetProperty("loss").EnumerateArray().Select(l => l.GetDouble())];
        double[] whole = Losses(4, 1);
        foreach (double[] losses in new[] { Losses(1, 4), Losses(2, 2) })
        {
            Assert.All(whole.Zip(losses), pair => Assert.Equal(pair.First, pair.Second, 4));
        }
    }

    private string Rows(string name, int good, int bad) => tiny.Write(name, string.Concat(
        File.ReadLines(tiny.Data).Take(good - 1).Select(row => row + "\n"))
        + $"{{\"prompt\": \"say \", \"completion\": \"{string.Concat(Enumerable.Repeat("red green ", 60))}\"}}\n"
        + string.Concat(Enumerable.Repeat("{\"prompt\": \"say \", \"completion\": null}\n", bad)));

    private static void AssertCounts(JsonElement data, int rows, int dropped, int truncated, int? examples = null)
    {
        Assert.Equal((rows, dropped, truncated), (data.GetProperty("rows").GetInt32(), data.GetProperty("dropped").GetInt32(), data.GetProperty("truncated").GetInt32()));
        Assert.Equal(examples ?? rows - dropped, data.GetProperty("examples").GetInt32());
        Assert.Equal(dropped, data.GetProperty("firstDropped").GetArrayLength());
        Assert.True(data.GetProperty("bytes").GetInt64() > 0);
    }
}
