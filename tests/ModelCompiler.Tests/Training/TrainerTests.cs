using System.Text.Json;
using ModelCompiler.Adapters;
using ModelCompiler.Data;
using ModelCompiler.Models;
using ModelCompiler.Planning;
using ModelCompiler.Tests.Files;
using ModelCompiler.Tests.Models;
using ModelCompiler.Training;

namespace ModelCompiler.Tests.Training;

public class TrainerTests
{
    [Fact]
    public void A_run_learns_and_reports_every_step()
    {
        using var folder = new TemporaryFolder();
        using StoriesLoraDropout model = SmallRun.CreateModel();
        var seen = new List<StepMetrics>();
        var options = SmallRun.Options with { EvaluationInterval = 5, OutputFolder = folder.Path };

        TrainingResult result = new Trainer(model, SmallRun.Data, options, SmallRun.HeldOut).Run(seen.Add);

        Assert.Equal(12, result.Steps);
        Assert.False(result.Cancelled);
        Assert.Equal(Enumerable.Range(1, 12), seen.Select(m => m.Step));
        Assert.Equal([5, 10, 12], seen.Where(m => m.HeldOutLoss is not null).Select(m => m.Step));
        Assert.True(result.HeldOutAfter < result.HeldOutBefore, $"{result.HeldOutBefore} became {result.HeldOutAfter}");
        Assert.Equal(result.HeldOutAfter, seen[^1].HeldOutLoss);
        Assert.All(seen, m => Assert.True(m.GradientNorm > 0 && m.TokensPerSecond > 0 && m.Seconds > 0));

        string[] lines = File.ReadAllLines(Path.Combine(folder.Path, "metrics.jsonl"));
        Assert.Equal(seen.Select(m => (m.Step, m.Loss, m.LearningRate, m.GradientNorm)), lines.Select(line =>
        {
            using JsonDocument json = JsonDocument.Parse(line);
            JsonElement o = json.RootElement;
            Assert.True(o.GetProperty("tokensPerSecond").GetDouble() > 0 && o.GetProperty("seconds").GetDouble() > 0);
            return (o.GetProperty("step").GetInt32(), o.GetProperty("loss").GetDouble(), o.GetProperty("learningRate").GetDouble(), o.GetProperty("gradientNorm").GetDouble());
        }));
    }

    [Theory]
    [InlineData("reference", 1e-12)]
    [InlineData("cpu-2", 1e-6)]
    public void Accumulated_micro_batches_of_unequal_lengths_are_one_big_batch(string backend, double tolerance)
    {
        Example[] examples = [.. SmallRun.Examples.Take(8)];
        (double Loss, double Norm, double[] Gradients) Run(int batch, int accumulate)
        {
            using var model = Model.ForTraining<StoriesLoraQueryValue>(new TrainingPlan { Batch = batch, Sequence = 64 }, ModelBackends.Create(backend));
            Initialization.All(model, seed: 5);
            foreach (Parameter b in model.Trainable.Where(p => p.Path.EndsWith(".Adapter.B", StringComparison.Ordinal)))
            {
                model.Backend.Write(b.Value, new float[b.Value.Count].Select((_, i) => (i % 7 - 3) * 0.01f).ToArray());
            }

            var trainer = new Trainer(model, new Batches(examples, batch, 64, seed: null), new TrainingOptions { GradientAccumulation = accumulate });
            StepMetrics metrics = trainer.Step();
            return (metrics.Loss, metrics.GradientNorm, [.. model.Trainable.SelectMany(p => model.Values(p.Gradient))]);
        }

        (double loss, double norm, double[] gradients) = Run(8, 1);
        (double accumulatedLoss, double accumulatedNorm, double[] accumulated) = Run(2, 4);

        Assert.Equal(loss, accumulatedLoss, tolerance * loss);
        Assert.Equal(norm, accumulatedNorm, tolerance * norm);
        double largest = gradients.Max(Math.Abs);
        Assert.All(gradients.Zip(accumulated), pair => Assert.Equal(pair.First, pair.Second, tolerance * largest));
    }

    /// <summary>Seven rows in steps of four: each epoch ends with a step of three, whose loss is the mean over the targets of those three.</summary>
    [Theory]
    [InlineData(4)]
    [InlineData(12)]
    public void Any_division_of_a_step_gives_the_same_run_when_rows_are_left_over(int rows)
    {
        Example[] examples = [.. SmallRun.Examples.Take(7)];
        double[] Losses(int batch, int accumulate, int stopAfter = 0)
        {
            using var folder = new TemporaryFolder();
            var losses = new List<double>();
            foreach (bool resume in stopAfter > 0 ? new[] { false, true } : [false])
            {
                using var model = Model.ForTraining<StoriesLoraQueryValue>(new TrainingPlan { Batch = batch, Sequence = 64 }, ModelBackends.Create("reference"));
                Initialization.All(model, seed: 5);
                using var stop = new CancellationTokenSource();
                var options = new TrainingOptions { Steps = 6, GradientAccumulation = accumulate, LearningRate = 1e-2, OutputFolder = folder.Path, Resume = resume };
                new Trainer(model, new Batches(examples, batch, 64, seed: 3), options).Run(
                    m =>
                    {
                        losses.Add(m.Loss);
                        if (m.Step == stopAfter)
                        {
                            stop.Cancel();
                        }
                    },
                    stop.Token);
            }

            return [.. losses];
        }

        double[] whole = Losses(rows, 1);
        Assert.Equal(6, whole.Distinct().Count());
        foreach (int batch in new[] { 1, 2, 3, 4, 6 }.Where(b => b < rows && rows % b == 0))
        {
            Assert.All(whole.Zip(Losses(batch, rows / batch)), pair => Assert.Equal(pair.First, pair.Second, 1e-7 * pair.First));
        }

        // A checkpoint holds F32, this backend computes in double.
        Assert.All(whole.Zip(Losses(1, rows, stopAfter: 1)), pair => Assert.Equal(pair.First, pair.Second, 1e-6 * pair.First));
    }

    [Fact]
    public void Padding_that_is_cut_off_changes_nothing()
    {
        // The same examples in batches that are as long as they are, and in longer ones.
        double Loss(int sequence)
        {
            using var model = Model.ForTraining<StoriesLoraQueryValue>(new TrainingPlan { Batch = 4, Sequence = sequence }, ModelBackends.Create("reference"));
            Initialization.All(model, seed: 5);
            return new Evaluator(model, new Batches([.. SmallRun.Examples.Take(8)], 4, sequence, seed: null)).Evaluate().Loss;
        }

        Assert.Equal(Loss(26), Loss(200), 1e-12);
    }

    [Fact]
    public void An_evaluation_is_the_mean_over_targets_whatever_the_batches()
    {
        using StoriesLoraDropout model = SmallRun.CreateModel();
        Evaluation ones = new Evaluator(model, new Batches(SmallRun.Examples, 1, 64, seed: null)).Evaluate();
        Evaluation fours = new Evaluator(model, new Batches(SmallRun.Examples, 4, 64, seed: null)).Evaluate();

        Assert.Equal(SmallRun.Examples.Sum(e => e.TargetCount), ones.Tokens);
        Assert.Equal(ones.Tokens, fours.Tokens);
        Assert.Equal(ones.Loss, fours.Loss, 1e-5);
        Assert.Equal(Math.Exp(ones.Loss), ones.Perplexity, 1e-9);
    }

    [Fact]
    public void Every_micro_batch_has_dropout_masks_of_its_own_and_evaluation_has_none()
    {
        using StoriesLoraDropout model = SmallRun.CreateModel();
        foreach (LoraAdapter adapter in model.Adapters.Cast<LoraAdapter>())
        {
            // While B is zero no mask can be seen.
            model.Backend.Write(adapter.B, Enumerable.Range(0, (int)adapter.B.Value.Count).Select(i => (float)Math.Sin(i)).ToArray());
        }

        var data = new Batches([SmallRun.Examples[9]], 1, 64, seed: null);
        var trainer = new Trainer(model, data, new TrainingOptions { LearningRate = 1e-30, Schedule = Schedule.Constant, WeightDecay = 0 });
        double[] losses = [.. Enumerable.Range(0, 6).Select(_ => trainer.Step().Loss)];
        var evaluator = new Evaluator(model, data);

        Assert.Equal(6, losses.Distinct().Count());
        Assert.Equal(evaluator.Evaluate(), evaluator.Evaluate());
    }

    [Fact]
    public void A_run_cancelled_before_its_first_step_ends_cleanly_and_leaves_nothing()
    {
        using var folder = new TemporaryFolder();
        using StoriesLoraDropout model = SmallRun.CreateModel();
        var options = SmallRun.Options with { EvaluationInterval = 1, OutputFolder = folder.Path };

        TrainingResult result = new Trainer(model, SmallRun.Data, options, SmallRun.HeldOut).Run(cancellation: new CancellationToken(canceled: true));

        Assert.Equal(new TrainingResult(0, true, double.NaN, null, null), result);
        Assert.False(TrainingCheckpoint.Exists(folder.Path));
    }

    [Fact]
    public void A_gradient_that_is_not_finite_stops_the_run_and_changes_no_parameter()
    {
        using var folder = new TemporaryFolder();
        var options = SmallRun.Options with { Steps = 3, OutputFolder = folder.Path };
        using StoriesLoraDropout model = SmallRun.CreateModel();
        var trainer = new Trainer(model, SmallRun.Data, options with { SaveEvery = 1 });
        Parameter broken = model.Layers[2].Attention.Norm.Weight;

        TrainingException error = Assert.Throws<TrainingException>(() => trainer.Run(m => Break(model, broken, m.Step)));

        Assert.Contains("step 3: the loss is NaN", error.Message);
        Assert.Contains("after step 2 is kept", error.Message);
        Assert.All(SmallRun.State(model), v => Assert.True(float.IsFinite(v)));
        Assert.Equal(2, TrainingCheckpoint.CompletedSteps(folder.Path));
    }

    [Fact]
    public void Options_out_of_range_are_refused_by_name()
    {
        using StoriesLoraDropout model = SmallRun.CreateModel();
        void Refuses(string name, TrainingOptions options) =>
            Assert.Contains(name, Assert.Throws<ArgumentException>(() => new Trainer(model, SmallRun.Data, options)).Message);

        Refuses("steps", new TrainingOptions { Steps = 0 });
        Refuses("accumulate", new TrainingOptions { GradientAccumulation = 0 });
        Refuses("learning rate", new TrainingOptions { LearningRate = double.NaN });
        Refuses("warm-up", new TrainingOptions { WarmupSteps = 101 });
        Refuses("minimum rate", new TrainingOptions { MinimumLearningRate = 1 });
        Refuses("betas", new TrainingOptions { Beta2 = 1 });
        Refuses("clip", new TrainingOptions { MaximumGradientNorm = -1 });
        Refuses("save interval", new TrainingOptions { SaveInterval = TimeSpan.Zero });
        Refuses("output folder", new TrainingOptions { Resume = true });
        Assert.Throws<ArgumentException>(() => new Trainer(model, new Batches(SmallRun.Examples, 5, 64, seed: null), new TrainingOptions()));
    }

    /// <summary>Nine tenths of the elements have 8-bit moments; the rest are too small for them.</summary>
    [Fact]
    public void Full_training_with_8_bit_moments_follows_that_with_full_ones()
    {
        (double full, _) = FullTraining(Optimizer.AdamW);
        (double codes, double share) = FullTraining(Optimizer.AdamW8Bit);

        Assert.InRange(share, 0.9, 0.95);
        Assert.NotEqual(full, codes);
        Assert.Equal(full, codes, 0.01 * full);
    }

    private static (double Loss, double Share) FullTraining(Optimizer optimizer)
    {
        using Stories260K model = SmallRun.CreateModel<Stories260K>(threads: 2, optimizer: optimizer);
        TrainingResult result = new Trainer(model, SmallRun.Data, SmallRun.Options with { Steps = 30, LearningRate = 3e-3 }).Run();
        double codes = model.Trainable.Where(p => p.Moments.Storage == MomentStorage.Blockwise).Sum(p => p.Value.Count);
        return (result.Loss, codes / model.Trainable.Sum(p => p.Value.Count));
    }

    private static void Break(TransformerModel model, Parameter parameter, int step)
    {
        if (step == 2)
        {
            model.Backend.Write(parameter.Value.Slice(0, 1) with { Columns = 1 }, [float.NaN]);
        }
    }
}
