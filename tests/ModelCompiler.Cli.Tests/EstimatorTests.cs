using System.Text.Json;
using ModelCompiler.CommandLine.Estimators.PyTorch;

namespace ModelCompiler.Cli.Tests;

public class EstimatorTests
{
    private const string Job = "plan Llama2_7B_QLora --batch 4 --sequence 512 --json --estimator";

    /// <summary>7264 MiB: gelato.md section 9; the measured peak of the job is 7143.8 MiB.</summary>
    [Theory]
    [InlineData("gelato", 7264, 1)]
    [InlineData("pytorch", 7143.8, 100)]
    public void An_estimate_has_the_terms_of_a_plan_and_its_own(string estimator, double peakMiB, double tolerance)
    {
        Outcome outcome = Mc.Run($"{Job} {estimator}");
        JsonElement json = outcome.Json();
        Assert.Equal(0, outcome.Code);
        Assert.Equal(estimator, json.GetProperty("estimator").GetString());
        long peak = json.GetProperty("peak").GetInt64();
        Assert.InRange(peak / (double)(1 << 20), peakMiB - tolerance, peakMiB + tolerance);
        JsonProperty[] bytes = [.. json.GetProperty("bytes").EnumerateObject()];
        JsonElement[] terms = [.. json.GetProperty("estimate").GetProperty("terms").EnumerateArray()];
        Assert.Equal(peak, bytes.Sum(b => b.Value.GetInt64()));
        Assert.All(bytes, b => Assert.Equal(
            b.Value.GetInt64(), terms.Where(t => t.GetProperty("kind").GetString() == b.Name).Sum(t => t.GetProperty("bytes").GetInt64())));
        Assert.Contains("whatever --checkpointing and --optimizer say", outcome.Error, StringComparison.Ordinal);
        Assert.Equal(3, Mc.Run($"{Job} {estimator} --budget {peak - 1}B").Code);
    }

    [Fact]
    public void The_planners_own_figures_have_no_estimate()
    {
        JsonElement json = Mc.Run($"{Job} own").Json();
        Assert.Equal(("own", JsonValueKind.Null), (json.GetProperty("estimator").GetString(), json.GetProperty("estimate").ValueKind));
        Assert.Equal("", Mc.Run($"{Job} own").Error);
    }

    /// <summary>Rank 8 halves adapters; the gates of L1RA are 7 x 32 more parameters a rank; without adapters all weights are trained.</summary>
    [Fact]
    public void Gelato_reads_the_recipes_adapters()
    {
        long Term(string line, string term) => Mc.Run($"plan {line} --estimator gelato --json").Json().GetProperty("bytes").GetProperty(term).GetInt64();
        Assert.Equal(2L * 39_976_960, Term("Llama2_7B_QLora", "adapters"));
        Assert.Equal(39_976_960, Term("Llama2_7B_QLora --rank 8", "adapters"));
        Assert.Equal(2L * (39_976_960 + 7 * 32 * 16), Term("Llama2_7B_L1ra", "adapters"));
        Assert.Equal(6L * 6_738_415_616, Term("Llama2_7B", "optimizer"));
        Assert.Contains("does not know LaMDA", Mc.Run("plan Llama2_7B_Lamda --estimator gelato").Error, StringComparison.Ordinal);
    }

    [Fact]
    public void People_read_the_moment_and_what_is_reserved()
    {
        string output = Mc.Run("plan Llama2_7B_QLora --estimator pytorch").Output;
        Assert.Contains("estimate of pytorch; the peak is in: ", output, StringComparison.Ordinal);
        Assert.Contains("reserved of the device: ", output, StringComparison.Ordinal);
        Assert.Contains("their factors", output, StringComparison.Ordinal);
    }
}
