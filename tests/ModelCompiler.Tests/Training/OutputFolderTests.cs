using ModelCompiler.Files;
using ModelCompiler.Tests.Files;
using ModelCompiler.Tests.Models;
using ModelCompiler.Training;

namespace ModelCompiler.Tests.Training;

/// <summary>What a run does with its output folder: one run at a time, a checkpoint now and then.</summary>
public class OutputFolderTests
{
    [Fact]
    public void A_folder_of_another_run_is_refused_before_and_after_the_trainer_is_made()
    {
        using var folder = new TemporaryFolder();
        using StoriesLoraDropout model = SmallRun.CreateModel();
        TrainingOptions options = SmallRun.Options with { Steps = 1, WarmupSteps = 0, OutputFolder = folder.Path };
        var trainer = new Trainer(model, SmallRun.Data, options);
        using (FolderLock taken = FolderLock.Take(folder.Path))
        {
            Assert.Throws<FolderInUseException>(() => new Trainer(model, SmallRun.Data, options));
            Assert.Throws<FolderInUseException>(() => trainer.Run());
            Assert.False(TrainingCheckpoint.Exists(folder.Path));
            Assert.Equal(1, new Trainer(model, SmallRun.Data, options with { OutputLock = taken }).Run().Steps);
        }

        TrainingException error = Assert.Throws<TrainingException>(() => trainer.Run());
        Assert.Contains("another run changed the checkpoint", error.Message);
    }

    [Fact]
    public void The_lock_is_given_up_when_the_run_ends_well_or_badly()
    {
        using var folder = new TemporaryFolder();
        using StoriesLoraDropout model = SmallRun.CreateModel();
        TrainingOptions options = SmallRun.Options with { Steps = 2, WarmupSteps = 0, OutputFolder = folder.Path };
        Assert.Throws<InvalidOperationException>(() => new Trainer(model, SmallRun.Data, options).Run(_ => throw new InvalidOperationException()));
        FolderLock.Take(folder.Path).Dispose();
        Assert.DoesNotContain(Directory.GetFiles(folder.Path), f => Path.GetFileName(f).StartsWith('.'));
    }

    [Theory]
    [InlineData(10, new[] { 3, 6, 9, 12 })]
    [InlineData(12, new[] { 3, 6, 9, 12 })]
    [InlineData(13, new[] { 4, 8, 12 })]
    [InlineData(null, new[] { 12 })]
    public void A_checkpoint_is_saved_when_the_interval_has_passed(int? minutes, int[] expected)
    {
        using var folder = new TemporaryFolder();
        using StoriesLoraDropout model = SmallRun.CreateModel();
        var clock = new StepClock();
        TrainingOptions options = SmallRun.Options with
        {
            OutputFolder = folder.Path,
            SaveInterval = minutes is { } m ? TimeSpan.FromMinutes(m) : Timeout.InfiniteTimeSpan,
            Clock = clock,
        };
        var saved = new List<int>();
        void Look()
        {
            if (TrainingCheckpoint.Exists(folder.Path) && TrainingCheckpoint.CompletedSteps(folder.Path) is var steps && !saved.Contains(steps))
            {
                saved.Add(steps);
            }
        }

        // Each step takes four minutes.
        new Trainer(model, SmallRun.Data, options).Run(_ =>
        {
            Look();
            clock.Now += TimeSpan.FromMinutes(4);
        });
        Look();
        Assert.Equal(expected, saved);
    }

    [Fact]
    public void By_default_ten_minutes_pass_between_checkpoints() => Assert.Equal(TimeSpan.FromMinutes(10), new TrainingOptions().SaveInterval);

    private sealed class StepClock : TimeProvider
    {
        public TimeSpan Now { get; set; }

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Now.Ticks;
    }
}
