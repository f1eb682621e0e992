using System.Globalization;
using System.Text.Json;
using ModelCompiler.CommandLine.Terminal;
using ModelCompiler.Models;
using ModelCompiler.Planning;

namespace ModelCompiler.Cli.Tests;

/// <summary>A method that chooses ranks from the base, from the command line: LaMDA++.</summary>
public class ChosenRanksTests(TinyBase tiny) : IClassFixture<TinyBase>
{
    private const string Recipe = "Stories260K_LamdaPlusPlus";

    [Fact]
    public void Training_chooses_ranks_and_the_saved_adapter_brings_them_along()
    {
        string output = tiny.NewFolder();
        string[] train =
        [
            "train", Recipe, "--base", tiny.Base, "--data", tiny.Data, "--evaluate", tiny.Data, "--out", output, "--steps", "4", "--batch", "2", "--sequence", "64",
            "--threads", "1", "--learning-rate", "0.01", "--json",
        ];
        Outcome trained = Mc.Run(train);
        Assert.True(trained.Code == 0, trained.Error);
        JsonElement json = trained.Json();
        JsonElement ranks = json.GetProperty("ranks");
        RankPattern pattern = Pattern(ranks);
        Assert.InRange(Stories260K_LamdaPlusPlus.Tables.ParameterCount(trainable: true, ranks: pattern), 50_000, Stories260K_LamdaPlusPlus.Tables.ParameterCount(trainable: true));
        long predicted = Stories260K_LamdaPlusPlus.MemoryCost(new TrainingPlan { Batch = 2, Sequence = 64, Ranks = pattern }, BackendProfile.Cpu(1)).Allocated;
        Assert.Equal(predicted, json.GetProperty("memory").GetProperty("predicted").GetInt64());

        JsonElement planned = Mc.Run(["plan", Recipe, "--base", tiny.Base, "--batch", "2", "--sequence", "64", "--threads", "1", "--json"]).Json();
        Assert.Equal(predicted, planned.GetProperty("peak").GetInt64() - planned.GetProperty("bytes").GetProperty("overhead").GetInt64());
        JsonElement uniform = Mc.Run(["plan", Recipe, "--batch", "2", "--sequence", "64", "--threads", "1", "--json"]).Json();
        Assert.True(uniform.GetProperty("bytes").GetProperty("adapters").GetInt64() > planned.GetProperty("bytes").GetProperty("adapters").GetInt64());

        string[] evaluate = ["evaluate", Recipe, "--base", tiny.Base, "--adapter", output, "--data", tiny.Data, "--batch", "2", "--sequence", "64", "--threads", "1", "--json"];
        Assert.Equal(json.GetProperty("evalLoss").GetProperty("after").GetDouble(), Mc.Run(evaluate).Json().GetProperty("loss").GetDouble(), 6);
        Assert.Equal(0, Mc.Run(["generate", Recipe, "--base", tiny.Base, "--adapter", output, "--prompt", "say red", "--max-tokens", "3", "--threads", "1"]).Code);
        Outcome resumed = Mc.Run([.. train, "--resume"]);
        Assert.True(resumed.Code == 0, resumed.Error);
        Assert.Equal(ranks.GetRawText(), resumed.Json().GetProperty("ranks").GetRawText());

        // Another uniform rank leads to other ranks, which are not the run's.
        Outcome other = Mc.Run([.. train, "--resume", "--rank", "8"]);
        Assert.Equal(2, other.Code);
        Assert.Contains("ranks was '", other.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Compare_says_the_ranks_of_the_methods_that_choose_them()
    {
        JsonElement[] methods = [.. Mc.Run(
            ["compare", "--base", tiny.Base, "--data", tiny.Data, "--methods", "LaMDA++", "LoRA", "--steps", "2", "--sequence", "64", "--threads", "1", "--json"]).Json().GetProperty("methods").EnumerateArray()];
        JsonElement adaptive = methods.Single(m => m.GetProperty("method").GetString() == "LaMDA++");
        RankPattern pattern = Pattern(adaptive.GetProperty("ranks"));
        Assert.Equal(Stories260K_LamdaPlusPlus.Tables.ParameterCount(trainable: true, ranks: pattern), adaptive.GetProperty("trainable").GetInt64());

        // Saved a token besides the rest: what A makes of the input and what S makes of that, ranks twice. The lowest layer's input and the
        // statistic of the norm over it are for the gradient of that input, which nobody wants.
        const long without = 5 * (64 + 64 + 2 * 32 + 64 + 8 + 64 + 2 * 172 + 2) - 64 - 1;
        Assert.Equal(without + 2 * pattern.Total, adaptive.GetProperty("savedPerToken").GetInt64());
        Assert.All(methods.Where(m => m.GetProperty("method").GetString() == "LoRA"), m => Assert.False(m.TryGetProperty("ranks", out _)));
    }

    [Fact]
    public void Compare_says_what_a_method_has_chosen_while_it_trained()
    {
        JsonElement method = Assert.Single(Mc.Run(
            ["compare", "--base", tiny.Base, "--data", tiny.Data, "--methods", "AdaLoRA", "--steps", "60", "--learning-rate", "0.01", "--sequence", "64", "--threads", "1", "--json"]).Json().GetProperty("methods").EnumerateArray(), m => m.GetProperty("name").GetString() == "Stories260K_AdaLora");
        JsonElement[] ranks = [.. method.GetProperty("ranks").EnumerateObject().Select(p => p.Value)];
        Assert.Equal(7, ranks.Length);

        // Of 12 directions everywhere 8 on average are left, and not the same of each adapter.
        int[] all = [.. ranks.SelectMany(r => r.ValueKind == JsonValueKind.Number ? Enumerable.Repeat(r.GetInt32(), 5) : r.EnumerateObject().Select(l => l.Value.GetInt32()))];
        Assert.Equal(35 * 8, all.Sum());
        Assert.True(all.Distinct().Count() > 1);
    }

    [Fact]
    public void A_base_that_is_no_base_is_refused_before_anything_is_trained()
    {
        string nothing = tiny.NewFolder();
        Mc.Run(["plan", Recipe, "--base", nothing]).AssertRefused(2, nothing);
        Mc.Run(["plan", Recipe, "--base", tiny.Base, "--rank", "33"]).AssertRefused(2, "rank 33 of Attention.Key");
    }

    private static RankPattern Pattern(JsonElement ranks) => new(Stories260K_LamdaPlusPlus.Tables, (slot, layer) =>
    {
        JsonElement of = ranks.GetProperty(Stories260K_LamdaPlusPlus.Tables.Slots[slot].Path);
        return (of.ValueKind == JsonValueKind.Number ? of : of.GetProperty(layer.ToString(CultureInfo.InvariantCulture))).GetInt32();
    });
}
