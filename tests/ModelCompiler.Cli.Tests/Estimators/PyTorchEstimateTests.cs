using System.Text.RegularExpressions;
using ModelCompiler.CommandLine.Estimators;
using ModelCompiler.CommandLine.Estimators.PyTorch;
using ModelCompiler.Models;
using ModelCompiler.Tests;

namespace ModelCompiler.Cli.Tests.Estimators;

public class PyTorchEstimateTests(ITestOutputHelper output)
{
    private static readonly LlamaShape s_llama2 = LlamaShape.From(Llama2_7B.Tables);
    private static readonly LlamaShape s_small = new("Small", 256, 688, 3, 8, 4, 1000, 128);

    /// <summary>The rows of the table in docs/estimators.md, and what it says of the models' means.</summary>
    [Fact]
    public void Nineteen_measured_peaks_are_met_as_the_page_says()
    {
        string[] rows = [.. File.ReadLines(Path.Combine(TestData.Repository, "docs", "estimators.md")).Where(static line => Regex.IsMatch(line, @"^\|[^|]*\| \d+ \| \d{4}"))];
        Assert.Equal(19, rows.Length);
        int row = 0;
        List<(MeasuredPeaks Model, double Error)> errors = [];
        foreach (MeasuredPeaks model in MeasuredPeaks.All)
        {
            for (int i = 0; i < model.Measured.Length; i++)
            {
                int batch = MeasuredPeaks.Batch(i);
                double measured = model.Measured[i];
                PyTorchEstimate estimate = PyTorchEstimate.Of(Job(model.Shape, batch) with { Dropout = true });
                double ours = MeasuredPeaks.MiB(estimate.Peak);
                double error = 100 * (ours / measured - 1);
                string cells = FormattableString.Invariant(
                    $"| {batch} | {measured:F0} | {model.Published[i]} | {100 * (model.Published[i] / measured - 1):+0.0;-0.0} | {ours:F0} | {error:+0.00;-0.00;0.00} |");
                output.WriteLine($"{model.Tables.Name} {cells} {estimate.Moment}");
                Assert.EndsWith(cells, rows[row++], StringComparison.Ordinal);
                errors.Add((model, Math.Abs(error)));
            }
        }

        string Mean(Func<MeasuredPeaks, bool> of) => FormattableString.Invariant($"{errors.Where(e => of(e.Model)).Average(static e => e.Error):F2}");
        Assert.Equal(["0.64", "0.70", "0.01", "0.08"], MeasuredPeaks.All.Select(model => Mean(m => m == model)));
        Assert.Equal(("0.37", "0.47"), (Mean(static _ => true), Mean(static m => m.Tables != Llama3_8B.Tables)));
    }

    /// <summary>Without dropout, as the recipes over these models say.</summary>
    [Fact]
    public void Without_dropout_all_models_are_met_within_one_percent_on_average() =>
        Assert.All(Errors(static job => job), errors => Assert.InRange(errors.Average(Math.Abs), 0, 1));

    /// <summary>What one expects of Trainer alone; the measured jobs take 2 to 19 % more.</summary>
    [Fact]
    public void A_program_that_drops_its_outputs_and_has_one_autocast_takes_less()
    {
        double[][] errors = Errors(static job => job with { RetainedOutputs = 0, OuterAutocast = false, Dropout = true });
        output.WriteLine($"{errors.SelectMany(static e => e).Average():F2} % on average");
        Assert.All(errors.SelectMany(static e => e), error => Assert.InRange(error, -20, -2));
    }

    private double[][] Errors(Func<PyTorchJob, PyTorchJob> choose)
    {
        double[][] errors = [.. MeasuredPeaks.All.Select(model => model.Measured.Select((measured, i) =>
            100 * (MeasuredPeaks.MiB(PyTorchEstimate.Of(choose(Job(model.Shape, MeasuredPeaks.Batch(i)))).Peak) / measured - 1)).ToArray())];
        foreach ((MeasuredPeaks model, double[] those) in MeasuredPeaks.All.Zip(errors))
        {
            output.WriteLine($"{model.Tables.Name}: {string.Join(" ", those.Select(static e => $"{e:F2}"))}; {those.Average(Math.Abs):F2} %");
        }

        return errors;
    }

    [Theory]
    [InlineData(PyTorchBlock.Llama, true, 2, 1)]
    [InlineData(PyTorchBlock.Llama, false, 0, 3)]
    [InlineData(PyTorchBlock.Phi3, true, 0, 2)]
    [InlineData(PyTorchBlock.Phi3, false, 2, 1)]
    public void After_training_nothing_is_left_but_what_stays(PyTorchBlock block, bool outer, int outputs, int accumulate)
    {
        var device = new DeviceMemory();
        new TrainingTimeline(Job(s_small, 2) with { Block = block, OuterAutocast = outer, RetainedOutputs = outputs, GradientAccumulation = accumulate, Dropout = outer }, device).Run();
        Assert.Equal(
            [Term.Projections, Term.Factors, Term.Embeddings, Term.Norms, Term.RotaryTables, Term.Adapters, Term.Moments, Term.Workspaces],
            device.Live);
    }

    /// <summary>Sizes from the shapes: Llama 2 at 4 x 512 peaks in the backward of the loss, with all block inputs and both sets of outputs.</summary>
    [Fact]
    public void Terms_have_the_sizes_of_their_tensors()
    {
        PyTorchEstimate estimate = PyTorchEstimate.Of(Job(s_llama2, 4));
        long Term(string name) => estimate.Terms.Single(t => t.Name == name).Bytes;
        const long tokens = 4 * 512;
        const long head = 32_000 * 4096;
        Assert.Equal("backward of the loss", estimate.Moment);
        Assert.Equal(s_llama2.ProjectionWeights / 2, Term("projections in 4 bits"));
        Assert.Equal(s_llama2.ProjectionWeights / 64 + 4 * s_llama2.ProjectionWeights / 16_384 + 7 * 32 * (64 + 4), Term("their factors"));
        Assert.Equal((4 * 2 * head, 4 * 65 * 4096), (Term("embedding and head in fp32"), Term("norms in fp32")));
        Assert.Equal(4L * 39_976_960, Term("adapters in fp32"));
        Assert.Equal(2L * 39_976_960, Term("adapters in 16 bits"));
        Assert.Equal(33 * 4 * tokens * 4096, Term("block inputs"));
        Assert.Equal(4 * tokens * (32_000 + 4096), Term("retained outputs"));
        Assert.Equal(4 * tokens * 32_000, Term("logits and their gradient"));
        Assert.Equal(3L * 4 * (tokens - 4) * 32_000 + 4, Term("cross-entropy"));
        Assert.Equal(2 * head, Term("head in 16 bits"));

        // Of gate, up and down one matrix each is of 16 x 11,008 elements, paged: two bytes each.
        Assert.Equal(3L * 32 * 16 * 11_008 * 2, estimate.Paged);
        Assert.Equal(11L * 32 * 16 * 4096 * 2 + 2 * 32 * (11 * 4 * 32 + 3 * 4 * 86), Term("moments that are not paged"));
        Assert.Equal(estimate.Peak, estimate.Terms.Sum(t => t.Bytes));
        Assert.InRange(estimate.Reserved, estimate.Peak, 1.2 * estimate.Peak);
    }

    [Fact]
    public void Choices_of_the_job_change_its_peak()
    {
        PyTorchJob job = Job(s_llama2, 4);
        long peak = PyTorchEstimate.Of(job).Peak;

        // A set of outputs has logits and a hidden state.
        const long outputs = 4L * 4 * 512 * (32_000 + 4096);
        Assert.Equal(peak - outputs, PyTorchEstimate.Of(job with { RetainedOutputs = 1 }).Peak);
        Assert.True(PyTorchEstimate.Of(job with { RetainedOutputs = 0 }).Peak < peak - outputs);
        Assert.True(PyTorchEstimate.Of(job with { OuterAutocast = false }).Peak < peak);

        // The gradients of the first micro-batch are there in the second one's loss.
        Assert.Equal(peak + 4L * 39_976_960, PyTorchEstimate.Of(job with { GradientAccumulation = 2 }).Peak);
        Assert.Equal(peak + 4L * 39_976_960, PyTorchEstimate.Of(job with { GradientAccumulation = 8 }).Peak);
        Assert.Equal(4L * 32_000 * 4096, peak - PyTorchEstimate.Of(job with { Shape = s_llama2 with { Tied = true } }).Peak);
        Assert.Throws<ArgumentOutOfRangeException>(() => PyTorchEstimate.Of(job with { Batch = 0 }));
    }

    private static PyTorchJob Job(LlamaShape shape, int batch) => new(shape, batch, MeasuredPeaks.Sequence, MeasuredPeaks.Rank);
}
