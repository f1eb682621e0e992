using ModelCompiler.CommandLine.Estimators;
using ModelCompiler.Models;

namespace ModelCompiler.Cli.Tests.Estimators;

public class GelatoTests
{
    private static readonly LlamaShape s_llama3 = LlamaShape.From(Llama3_8B.Tables);

    /// <summary>gelato.md section 5: every estimate of the figure, and of the published code, to the MiB.</summary>
    [Fact]
    public void Both_formulas_give_the_published_peaks()
    {
        foreach (MeasuredPeaks model in MeasuredPeaks.All)
        {
            for (int i = 0; i < model.Measured.Length; i++)
            {
                GelatoJob job = Job(model, i);
                Assert.Equal(model.Published[i], Math.Round(MeasuredPeaks.MiB(GelatoEstimate.Of(job).Peak)));
                Assert.Equal(model.Figure[i], Math.Round(MeasuredPeaks.MiB(GelatoEstimate.OfTheFigure(job).Peak)));
            }
        }
    }

    /// <summary>The same, against the errors that the spec recomputed: 2.05 % for the figure, 2.20 % for the published code.</summary>
    [Fact]
    public void Their_errors_are_known()
    {
        double Error(Func<GelatoJob, GelatoEstimate> formula) => 100 * MeasuredPeaks.All
            .SelectMany(m => m.Measured.Select((measured, i) => Math.Abs(MeasuredPeaks.MiB(formula(Job(m, i)).Peak) / measured - 1))).Average();
        Assert.Equal(2.05, Error(GelatoEstimate.OfTheFigure), 0.01);
        Assert.Equal(2.20, Error(GelatoEstimate.Of), 0.01);
    }

    [Theory]
    [InlineData("Llama2_7B", 39_976_960)]
    [InlineData("Llama3_8B", 41_943_040)]
    [InlineData("Mistral_7B", 41_943_040)]
    [InlineData("Phi3_Mini", 29_884_416)]
    public void Adapters_of_rank_16_have_so_many_parameters(string name, long parameters) =>
        Assert.Equal(parameters, GelatoJob.AllLinear(MeasuredPeaks.All.Single(m => m.Tables.Name == name).Shape, 16));

    /// <summary>The example of the published README, on 24 100 MiB; and 4 bits forced.</summary>
    [Fact]
    public void The_search_finds_the_published_example()
    {
        Assert.Equal(new GelatoChoice(2, 56, 8, 8), GelatoSearch.Find(s_llama3, 1024, 24_100L << 20));
        Assert.Equal(new GelatoChoice(4, 47, 4, 4), GelatoSearch.Find(s_llama3, 1024, 24_100L << 20, bits: 4));
    }

    [Fact]
    public void The_search_fills_a_large_device_and_leaves_a_small_one()
    {
        Assert.Null(GelatoSearch.Find(s_llama3, 1024, 6L << 30));
        GelatoChoice choice = GelatoSearch.Find(s_llama3, 1024, 200L << 30)!;
        Assert.Equal((null, 1), (choice.Bits, choice.GradientAccumulation));
        Assert.True(choice.Batch > 16);
        GelatoJob Found(GelatoChoice c) => new(s_llama3, c.Batch, 1024)
        {
            Bits = c.Bits,
            GradientAccumulation = c.GradientAccumulation,
            AdapterParameters = GelatoJob.AllLinear(s_llama3, c.Rank, gated: true),
        };
        double budget = 0.975 * (200L << 30);
        Assert.InRange(GelatoEstimate.Of(Found(choice)).Peak, 0, budget);
        Assert.True(GelatoEstimate.Of(Found(choice with { Batch = choice.Batch + 1 })).Peak > budget);
    }

    /// <summary>gelato.md section 6, MiB: Llama 2 with a batch of 16.</summary>
    [Fact]
    public void Terms_are_those_of_the_formula()
    {
        GelatoEstimate estimate = GelatoEstimate.Of(Job(MeasuredPeaks.All[1], 4));
        long Term(string name) => (long)Math.Round(MeasuredPeaks.MiB(estimate.Terms.Single(t => t.Name == name).Bytes));
        Assert.Equal((4263 - 76, 76, 229, 152), (Term("weights"), Term("adapters"), Term("optimizer"), Term("gradients")));
        Assert.Equal((1000, 4576), (Term("logits"), Term("backward of a recomputed block")));
        Assert.Equal("backward of a recomputed block", estimate.Moment);
        Assert.Equal(estimate.Peak, estimate.Terms.Sum(t => t.Bytes));
    }

    [Fact]
    public void Accumulation_multiplies_gradients_and_quantization_can_be_single_or_none()
    {
        GelatoJob job = Job(MeasuredPeaks.All[1], 0);
        long peak = GelatoEstimate.Of(job).Peak;
        Assert.Equal(peak + 3 * 4 * 39_976_960L, GelatoEstimate.Of(job with { GradientAccumulation = 4 }).Peak);
        long projections = job.Shape.ProjectionWeights;
        Assert.Equal(peak + 4 * projections / 64 - projections / 64 - 4 * projections / 16_384, GelatoEstimate.Of(job with { DoubleQuantized = false }).Peak);
        Assert.Equal(2 * (projections + job.OtherWeights), GelatoEstimate.Of(job with { Bits = null }).Terms[0].Bytes);
        Assert.Equal(projections + projections / 64 + 4 * projections / 16_384 + 4 * job.OtherWeights, GelatoEstimate.Of(job with { Bits = 8 }).Terms[0].Bytes);
        Assert.Equal(6 * (projections + job.OtherWeights), GelatoEstimate.Of(job with { AdapterParameters = null }).Terms.Single(t => t.Kind == CostKind.Optimizer).Bytes);
    }

    [Fact]
    public void What_the_formula_does_not_know_is_refused()
    {
        Assert.Contains("tied", Assert.Throws<ArgumentException>(() => GelatoEstimate.Of(new GelatoJob(LlamaShape.From(SmolLM2_135M.Tables), 1, 8))).Message, StringComparison.Ordinal);
        Assert.Contains("not of 3", Assert.Throws<ArgumentException>(() => GelatoEstimate.Of(Job(MeasuredPeaks.All[0], 0) with { Bits = 3 })).Message, StringComparison.Ordinal);
        Assert.Contains("Attention.Norm.Bias", Assert.Throws<ArgumentException>(() => LlamaShape.From(Falcon_40B.Tables)).Message, StringComparison.Ordinal);
        Assert.Contains("PositionEmbedding", Assert.Throws<ArgumentException>(() => LlamaShape.From(GptNanoSort.Tables)).Message, StringComparison.Ordinal);
    }

    private static GelatoJob Job(MeasuredPeaks model, int point) => new(model.Shape, MeasuredPeaks.Batch(point), MeasuredPeaks.Sequence)
    {
        Bits = 4,
        AdapterParameters = GelatoJob.AllLinear(model.Shape, MeasuredPeaks.Rank),
    };
}
