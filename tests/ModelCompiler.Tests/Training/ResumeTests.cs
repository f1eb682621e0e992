using System.Diagnostics;
using ModelCompiler.Models;
using ModelCompiler.Planning;
using ModelCompiler.Safetensors;
using ModelCompiler.Tests.Files;
using ModelCompiler.Tests.Models;
using ModelCompiler.Training;

namespace ModelCompiler.Tests.Training;

public class ResumeTests
{
    [Theory]
    [InlineData(1, Checkpointing.Selective)]
    [InlineData(2, Checkpointing.None)]
    public void A_resumed_run_has_the_bits_of_an_uninterrupted_one(int threads, Checkpointing checkpointing)
    {
        var losses = new List<double>();
        using StoriesLoraDropout uninterrupted = SmallRun.CreateModel(threads, checkpointing);
        new Trainer(uninterrupted, SmallRun.Data, SmallRun.Options).Run(m => losses.Add(m.Loss));

        using var folder = new TemporaryFolder();
        var resumedLosses = new List<double>();
        foreach (int stopAfter in new[] { 3, 8, 12 })
        {
            // A new process in all but name: model, data and trainer are made anew.
            using StoriesLoraDropout model = SmallRun.CreateModel(threads, checkpointing);
            using var stop = new CancellationTokenSource();
            var options = SmallRun.Options with { OutputFolder = folder.Path, Resume = stopAfter > 3 };
            TrainingResult result = new Trainer(model, SmallRun.Data, options).Run(
                m =>
                {
                    resumedLosses.Add(m.Loss);
                    if (m.Step == stopAfter)
                    {
                        stop.Cancel();
                    }
                },
                stop.Token);

            Assert.Equal(stopAfter, result.Steps);
            Assert.Equal(stopAfter < 12, result.Cancelled);
            if (stopAfter == 12)
            {
                Assert.Equal(SmallRun.State(uninterrupted), SmallRun.State(model));
            }
        }

        Assert.Equal(losses, resumedLosses);
        Assert.Equal(12, File.ReadLines(Path.Combine(folder.Path, "metrics.jsonl")).Count());
    }

    [Theory]
    [InlineData(Optimizer.AdamW)]
    [InlineData(Optimizer.AdamW8Bit)]
    [InlineData(Optimizer.PagedAdamW)]
    public void Training_of_all_parameters_is_resumed_to_the_same_bits(Optimizer optimizer)
    {
        using var folder = new TemporaryFolder();
        TrainingOptions options = SmallRun.Options with { Steps = 4, Schedule = Schedule.Constant };
        using Stories260K uninterrupted = SmallRun.CreateModel<Stories260K>(optimizer: optimizer);
        new Trainer(uninterrupted, SmallRun.Data, options).Run();
        using (Stories260K first = SmallRun.CreateModel<Stories260K>(optimizer: optimizer))
        {
            new Trainer(first, SmallRun.Data, options with { Steps = 2, OutputFolder = folder.Path }).Run();
        }

        using Stories260K second = SmallRun.CreateModel<Stories260K>(optimizer: optimizer);
        new Trainer(second, SmallRun.Data, options with { OutputFolder = folder.Path, Resume = true }).Run();

        Assert.Equal(SmallRun.State(uninterrupted), SmallRun.State(second));
    }

    [Fact]
    public void Dropout_takes_part_in_what_is_resumed()
    {
        // Were the masks the same in every step, the test above could not see a wrong position in their sequence.
        using StoriesLoraDropout one = SmallRun.CreateModel();
        using StoriesLoraDropout other = SmallRun.CreateModel();
        new Trainer(one, SmallRun.Data, SmallRun.Options).Run();
        new Trainer(other, SmallRun.Data, SmallRun.Options with { Seed = 12 }).Run();

        Assert.NotEqual(SmallRun.State(one), SmallRun.State(other));
    }

    [Fact]
    public void A_finished_run_is_resumed_to_nothing_more()
    {
        using var folder = new TemporaryFolder();
        Train(folder.Path, SmallRun.Options with { Steps = 2 });

        TrainingResult again = Train(folder.Path, SmallRun.Options with { Steps = 2, Resume = true });

        Assert.Equal(2, again.Steps);
        Assert.False(again.Cancelled);
    }

    [Fact]
    public void A_checkpoint_of_another_run_is_refused_with_what_differs()
    {
        using var folder = new TemporaryFolder();
        Train(folder.Path, SmallRun.Options with { Steps = 2 });
        TrainingOptions same = SmallRun.Options with { Steps = 2, OutputFolder = folder.Path, Resume = true };

        Refuses("threads was '1', now '2'", () => new Trainer(SmallRun.CreateModel(threads: 2), SmallRun.Data, same));
        Refuses("checkpointing was 'Selective', now 'None'", () => new Trainer(SmallRun.CreateModel(checkpointing: Checkpointing.None), SmallRun.Data, same));
        Refuses("model was 'StoriesLoraDropout', now 'StoriesLoraQueryValue'", () => new Trainer(SmallRun.CreateModel<StoriesLoraQueryValue>(), SmallRun.Data, same));
        Refuses("data and its seed", () => new Trainer(SmallRun.CreateModel(), SmallRun.HeldOut, same));
        Refuses("schedule", () => new Trainer(SmallRun.CreateModel(), SmallRun.Data, same with { LearningRate = 1e-3 }));
        Refuses("optimizer", () => new Trainer(SmallRun.CreateModel(), SmallRun.Data, same with { Beta1 = 0.8 }));
        Refuses(
            "optimizer was 'AdamW, betas",
            () => new Trainer(SmallRun.CreateModel(optimizer: Optimizer.AdamW8Bit), SmallRun.Data, same));
        Refuses("accumulate was '2', now '1'", () => new Trainer(SmallRun.CreateModel(), SmallRun.Data, same with { GradientAccumulation = 1 }));
        StoriesLoraDropout otherBase = SmallRun.CreateModel();
        Initialization.All(otherBase, seed: 6);
        Refuses("base weights", () => new Trainer(otherBase, SmallRun.Data, same));
        otherBase.Dispose();
    }

    [Fact]
    public void A_run_does_not_overwrite_another_one()
    {
        using var folder = new TemporaryFolder();
        Train(folder.Path, SmallRun.Options with { Steps = 2 });

        Assert.Contains("after step 2", Assert.Throws<TrainingException>(() => Train(folder.Path, SmallRun.Options with { Steps = 2 })).Message);
    }

    [Fact]
    public void Nothing_to_resume_is_an_error_and_so_is_damage()
    {
        using var folder = new TemporaryFolder();
        TrainingOptions resume = SmallRun.Options with { Steps = 2, Resume = true };
        Assert.Contains("no checkpoint", Assert.Throws<CheckpointException>(() => Train(folder.Path, resume)).Message);

        Train(folder.Path, resume with { Resume = false });
        string path = Path.Combine(folder.Path, TrainingCheckpoint.FileName);
        File.WriteAllBytes(path, File.ReadAllBytes(path)[..^100]);
        Assert.Throws<CheckpointException>(() => Train(folder.Path, resume));
    }

    [Fact]
    public void Metrics_of_steps_after_the_checkpoint_and_torn_lines_are_dropped()
    {
        using var folder = new TemporaryFolder();
        Train(folder.Path, SmallRun.Options with { Steps = 4, Schedule = Schedule.Constant });
        string path = Path.Combine(folder.Path, "metrics.jsonl");
        File.AppendAllText(path, "{\"step\":5,\"loss\":1}\n{\"step\":6,\"lo");

        Train(folder.Path, SmallRun.Options with { Steps = 6, Schedule = Schedule.Constant, Resume = true });

        string[] lines = File.ReadAllLines(path);
        Assert.Equal(6, lines.Length);
        Assert.All(lines.Index(), line => Assert.StartsWith($"{{\"step\":{line.Index + 1},", line.Item));
        Assert.DoesNotContain("\"loss\":1}", lines[4]);
    }

    [Fact]
    public void A_process_killed_at_any_time_leaves_a_checkpoint_that_resumes_to_the_same_bits()
    {
        using var folder = new TemporaryFolder();
        TrainingOptions options = KilledRun.Options with { OutputFolder = folder.Path };
        var random = new Random(1);
        int kills = 0;
        for (int attempt = 0; attempt < 4; attempt++)
        {
            using Process process = KilledRun.Start(folder.Path);
            int before = TrainingCheckpoint.Exists(folder.Path) ? TrainingCheckpoint.CompletedSteps(folder.Path) : 0;
            var patience = Stopwatch.StartNew();
            while (!process.HasExited && patience.Elapsed < TimeSpan.FromSeconds(30)
                && !(TrainingCheckpoint.Exists(folder.Path) && TrainingCheckpoint.CompletedSteps(folder.Path) > before + 2))
            {
                Thread.Sleep(1);
            }

            Thread.Sleep(random.Next(20));
            kills += process.HasExited ? 0 : 1;
            process.Kill();
            process.WaitForExit();
        }

        Assert.True(kills > 0, "The process had ended before it could be killed.");
        using StoriesLoraDropout resumed = SmallRun.CreateModel();
        new Trainer(resumed, SmallRun.Data, options with { Resume = true }).Run();
        using StoriesLoraDropout uninterrupted = SmallRun.CreateModel();
        new Trainer(uninterrupted, SmallRun.Data, KilledRun.Options).Run();

        Assert.Equal(SmallRun.State(uninterrupted), SmallRun.State(resumed));
    }

    private static TrainingResult Train(string folder, TrainingOptions options)
    {
        using StoriesLoraDropout model = SmallRun.CreateModel();
        return new Trainer(model, SmallRun.Data, options with { OutputFolder = folder }).Run();
    }

    private static void Refuses(string difference, Func<Trainer> create) =>
        Assert.Contains(difference, Assert.Throws<TrainingException>(create).Message);
}
