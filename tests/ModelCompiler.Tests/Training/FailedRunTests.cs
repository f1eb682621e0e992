using ModelCompiler.Adapters;
using ModelCompiler.Files;
using ModelCompiler.Models;
using ModelCompiler.Planning;
using ModelCompiler.Tests.Adapters;
using ModelCompiler.Tests.Files;
using ModelCompiler.Tests.Models;
using ModelCompiler.Training;

namespace ModelCompiler.Tests.Training;

/// <summary>Whatever ends a run, the steps it has completed are saved, and they resume to the bits of a run that never failed.</summary>
public class FailedRunTests
{
    [Fact]
    public void A_progress_callback_that_throws_loses_no_step()
    {
        using var folder = new TemporaryFolder();
        var thrown = new FormatException("the user's own");
        using (StoriesLoraDropout model = SmallRun.CreateModel())
        {
            Trainer trainer = Trainer(model, folder.Path);
            Assert.Same(thrown, Assert.Throws<FormatException>(() => trainer.Run(m => ThrowAt(5, m, thrown))));
        }

        AssertResumes(folder.Path, completed: 5);
    }

    [Fact]
    public void Metrics_on_a_full_disk_lose_no_step()
    {
        using var folder = new TemporaryFolder();
        using (StoriesLoraDropout model = SmallRun.CreateModel())
        {
            var trainer = new Trainer(model, SmallRun.Data, SmallRun.Options with { OutputFolder = folder.Path }) { OpenMetrics = path => new FullDisk(path, lines: 3) };
            OutputException error = Assert.Throws<OutputException>(() => trainer.Run());
            Assert.Contains("metrics.jsonl", error.Message);
            Assert.Contains("No space left", error.Message);
        }

        Assert.Equal(4, TrainingCheckpoint.CompletedSteps(folder.Path));
        AssertResumes(folder.Path, completed: 4);
        Assert.Equal(11, File.ReadLines(folder.File("metrics.jsonl")).Count());
    }

    [Fact]
    public void A_state_that_cannot_be_saved_either_is_told_beside_what_ended_the_run()
    {
        using var folder = new TemporaryFolder();
        string output = folder.File("out");
        using StoriesLoraDropout model = SmallRun.CreateModel();
        var thrown = new FormatException("the user's own");

        AggregateException error = Assert.Throws<AggregateException>(() => Trainer(model, output).Run(m =>
        {
            Directory.Delete(output, recursive: true);
            File.WriteAllText(output, "in the way");
            throw thrown;
        }));

        Assert.Same(thrown, error.InnerExceptions[0]);
        Assert.IsType<OutputException>(error.InnerExceptions[1]);
    }

    [Fact]
    public void A_disk_with_room_for_neither_metrics_nor_state_is_one_error_with_both()
    {
        using var folder = new TemporaryFolder();
        string output = folder.File("out");
        using StoriesLoraDropout model = SmallRun.CreateModel();
        var trainer = new Trainer(model, SmallRun.Data, SmallRun.Options with { OutputFolder = output }) { OpenMetrics = path => new FullDisk(path, lines: 1) };

        OutputException error = Assert.Throws<OutputException>(() => trainer.Run(m =>
        {
            Directory.Delete(output, recursive: true);
            File.WriteAllText(output, "in the way");
        }));

        Assert.Contains("metrics.jsonl", error.Message);
        Assert.Contains("; and then cannot write", error.Message);
        Assert.Equal(2, Assert.IsType<AggregateException>(error.InnerException).InnerExceptions.Count);
    }

    [Fact]
    public void A_checkpoint_that_cannot_be_saved_is_one_error()
    {
        using var folder = new TemporaryFolder();
        string output = folder.File("out");
        using StoriesLoraDropout model = SmallRun.CreateModel();
        var trainer = new Trainer(model, SmallRun.Data, SmallRun.Options with { OutputFolder = output, SaveEvery = 1 });

        Assert.Throws<OutputException>(() => trainer.Run(m =>
        {
            Directory.Delete(output, recursive: true);
            File.WriteAllText(output, "in the way");
        }));
    }

    /// <summary>B is zero, so a huge A changes no logit; the gradient of B is as large as A, and its square is beyond any double's root.</summary>
    [Fact]
    public void A_gradient_that_is_not_finite_under_a_finite_loss_stops_the_run_and_changes_no_parameter()
    {
        using var folder = new TemporaryFolder();
        using StoriesLoraDropout model = SmallRun.CreateModel();
        LoraAdapter adapter = model.Adapters.Cast<LoraAdapter>().First();
        model.Backend.Write(adapter.A.Value, Enumerable.Repeat(1e37f, (int)adapter.A.Value.Count).ToArray());
        float[] before = SmallRun.State(model);
        Trainer trainer = Trainer(model, folder.Path);
        double sum = new Evaluator(model, SmallRun.Data).Evaluate().Loss;

        TrainingException error = Assert.Throws<TrainingException>(() => trainer.Run());

        Assert.True(double.IsFinite(sum));
        Assert.Contains("step 1: the gradient's norm is", error.Message);
        Assert.Contains("nothing was updated", error.Message);
        Assert.Equal(before, SmallRun.State(model));
        Assert.Equal(0, trainer.CompletedSteps);
        Assert.False(TrainingCheckpoint.Exists(folder.Path));
    }

    [Fact]
    public void A_loss_that_is_not_finite_loses_no_step_before_it()
    {
        using var folder = new TemporaryFolder();
        using (StoriesLoraDropout model = SmallRun.CreateModel())
        {
            Parameter norm = model.Named("model.norm.weight");
            TrainingException error = Assert.Throws<TrainingException>(() => Trainer(model, folder.Path).Run(m => BreakAt(5, m, model, norm)));
            Assert.Contains("step 6: the loss is NaN", error.Message);
            Assert.Contains("after step 5 is kept", error.Message);
        }

        AssertResumes(folder.Path, completed: 5);
    }

    [Fact]
    public void A_held_out_loss_that_is_not_finite_is_an_error_and_no_figure()
    {
        using var folder = new TemporaryFolder();
        using StoriesLoraDropout model = SmallRun.CreateModel();
        Parameter norm = model.Named("model.norm.weight");
        model.Backend.Write(norm.Value.Slice(0, 1) with { Columns = 1 }, [float.NaN]);
        var options = SmallRun.Options with { OutputFolder = folder.Path, EvaluationInterval = 1 };

        TrainingException error = Assert.Throws<TrainingException>(() => new Trainer(model, SmallRun.Data, options, SmallRun.HeldOut).Run());

        Assert.Contains("the loss of evaluation batch 1 is NaN", error.Message);
        Assert.False(TrainingCheckpoint.Exists(folder.Path));
    }

    [Fact]
    public void Parameters_that_are_not_finite_do_not_replace_a_checkpoint()
    {
        using var folder = new TemporaryFolder();
        using StoriesLoraDropout model = SmallRun.CreateModel();
        Parameter trained = model.Trainable.First();
        var trainer = new Trainer(model, SmallRun.Data, SmallRun.Options with { OutputFolder = folder.Path, SaveEvery = 2 });

        TrainingException error = Assert.Throws<TrainingException>(() => trainer.Run(m => BreakAt(3, m, model, trained)));

        Assert.Contains("after step 2 is kept", error.Message);
        Assert.Equal(2, TrainingCheckpoint.CompletedSteps(folder.Path));
    }

    [Fact]
    public void A_step_that_failed_can_be_tried_again()
    {
        TriesAgain<StoriesLoraDropout>();
        TriesAgain<StoriesL1ra>();
        TriesAgain<StoriesDyLora>();
    }

    [Theory]
    [InlineData("{\"step\":1.5,\"loss\":1}")]
    [InlineData("{\"step\":1e400}")]
    [InlineData("{\"step\":\"1\"}")]
    [InlineData("{\"step\":null}")]
    [InlineData("{\"\\ud800\":1,\"step\":1}")]
    [InlineData("{\"step\":1,\"loss\":NaN}")]
    [InlineData("[1]")]
    [InlineData("1")]
    [InlineData("null")]
    [InlineData("")]
    [InlineData("\0\0\0")]
    [InlineData("{\"step\":1")]
    public void Damaged_lines_of_metrics_are_dropped(string damaged)
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.File("metrics.jsonl"), $"{{\"step\":1,\"loss\":3}}\n{damaged}\n{{\"step\":2,\"loss\":2}}\n{{\"step\":3,\"loss\":1}}\n");

        new MetricsFile(folder.Path, 2, StoriesLoraDropout.Tables).Dispose();

        Assert.Equal(["{\"step\":1,\"loss\":3}", "{\"step\":2,\"loss\":2}"], File.ReadAllLines(folder.File("metrics.jsonl")));
    }

    private static Trainer Trainer(StoriesLoraDropout model, string folder) => new(model, SmallRun.Data, SmallRun.Options with { OutputFolder = folder });

    private static void AssertResumes(string folder, int completed)
    {
        Assert.Equal(completed, TrainingCheckpoint.CompletedSteps(folder));
        using StoriesLoraDropout resumed = SmallRun.CreateModel();
        new Trainer(resumed, SmallRun.Data, SmallRun.Options with { OutputFolder = folder, Resume = true }).Run();
        using StoriesLoraDropout uninterrupted = SmallRun.CreateModel();
        new Trainer(uninterrupted, SmallRun.Data, SmallRun.Options).Run();
        Assert.Equal(SmallRun.State(uninterrupted), SmallRun.State(resumed));
    }

    private static void TriesAgain<T>()
        where T : TransformerModel, IModel<T>
    {
        TrainingOptions options = SmallRun.Options with { Steps = 8 };
        using T uninterrupted = SmallRun.CreateModel<T>();
        new Trainer(uninterrupted, SmallRun.Data, options).Run();
        using T model = SmallRun.CreateModel<T>();
        Parameter norm = model.Named("model.norm.weight");
        var values = new float[norm.Value.Count];
        model.Backend.Read(norm.Value, values);
        var trainer = new Trainer(model, SmallRun.Data, options);
        while (trainer.CompletedSteps < options.Steps)
        {
            model.Backend.Write(norm.Value, new float[values.Length].Select(_ => float.NaN).ToArray());
            Assert.Throws<TrainingException>(() => trainer.Step());
            model.Backend.Write(norm.Value, values);
            trainer.Step();
        }

        Assert.Equal(SmallRun.State(uninterrupted), SmallRun.State(model));
    }

    private static void ThrowAt(int step, in StepMetrics metrics, Exception error)
    {
        if (metrics.Step == step)
        {
            throw error;
        }
    }

    private static void BreakAt(int step, in StepMetrics metrics, TransformerModel model, Parameter parameter)
    {
        if (metrics.Step == step)
        {
            model.Backend.Write(parameter.Value.Slice(0, 1) with { Columns = 1 }, [float.NaN]);
        }
    }

    /// <summary>A file on a disk with room for a few lines and the beginning of another.</summary>
    private sealed class FullDisk(string path, int lines) : FileStream(path, FileMode.Append, FileAccess.Write, FileShare.Read, bufferSize: 0)
    {
        private int _lines;

        public override void Write(byte[] buffer, int offset, int count)
        {
            if (_lines++ >= lines)
            {
                base.Write(buffer, offset, Math.Min(count, 10));
                throw new IOException("No space left on device");
            }

            base.Write(buffer, offset, count);
        }
    }
}
