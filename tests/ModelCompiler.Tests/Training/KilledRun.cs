using System.Diagnostics;
using ModelCompiler.Tests.Models;
using ModelCompiler.Training;

namespace ModelCompiler.Tests.Training;

/// <summary>A run in a process of its own, that saves after every step, to be killed.</summary>
internal static class KilledRun
{
    /// <summary>First argument of the test assembly as a program.</summary>
    public const string Verb = "train";

    /// <summary>Enough steps that a kill after a few meets the run in its midst.</summary>
    public static TrainingOptions Options => SmallRun.Options with { Steps = 60, SaveEvery = 1 };

    /// <summary>Starts the run, or goes on with it.</summary>
    public static Process Start(string folder)
    {
        var start = new ProcessStartInfo("dotnet", [typeof(KilledRun).Assembly.Location, Verb, folder]) { RedirectStandardError = true };
        return Process.Start(start) ?? throw new InvalidOperationException("The process did not start.");
    }

    /// <summary>What the process does.</summary>
    public static int Run(string folder)
    {
        using StoriesLoraDropout model = SmallRun.CreateModel();
        new Trainer(model, SmallRun.Data, Options with { OutputFolder = folder, Resume = TrainingCheckpoint.Exists(folder) }).Run();
        return 0;
    }
}
