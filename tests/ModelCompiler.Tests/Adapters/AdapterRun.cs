using ModelCompiler.HuggingFace.Peft;
using ModelCompiler.HuggingFace.Weights;
using ModelCompiler.Models;
using ModelCompiler.Testing.Reference;
using ModelCompiler.Tests.Files;
using ModelCompiler.Tests.Models;
using ModelCompiler.Tests.Training;
using ModelCompiler.Training;

namespace ModelCompiler.Tests.Adapters;

/// <summary>What the tests of every adapter method do with a model.</summary>
internal static class AdapterRun
{
    /// <summary>A prompt.</summary>
    public static readonly int[] Tokens = [1, 40, 300, 7, 511, 22];

    /// <summary>Logits in double of the weights of <see cref="SmallRun"/>, with adapters of a folder or as they start, over a base of a folder where one is given.</summary>
    public static double[] Logits<T>(string? folder, string? unadapted = null)
        where T : TransformerModel, IModel<T>
    {
        using T model = Model.ForGeneration<T>(16, backend: new ReferenceBackend());
        Initialization.All(model, seed: 5);
        if (unadapted is not null)
        {
            BaseWeights.Load(model, unadapted);
        }

        if (folder is not null)
        {
            AdapterFiles.Load(model, folder);
        }

        return Logits(model);
    }

    /// <summary>Logits in double of a model planned for generation.</summary>
    public static double[] Logits(TransformerModel model) => [.. model.LogitsOf(Tokens).SelectMany(row => row)];

    /// <summary>The greatest difference.</summary>
    public static double Apart(double[] a, double[] b) => a.Zip(b).Max(pair => Math.Abs(pair.First - pair.Second));

    /// <summary>Asserts that a run stopped after some steps, and resumed after each, ends with the bits of one that never was.</summary>
    /// <param name="options">The run's options.</param>
    /// <param name="stops">The steps to stop after; the last is the run's end.</param>
    /// <param name="disturb">What happens to a model before a checkpoint is loaded into it.</param>
    public static void Resumes<T>(TrainingOptions options, int[] stops, Action<T>? disturb = null)
        where T : TransformerModel, IModel<T>
    {
        using var folder = new TemporaryFolder();
        using T uninterrupted = SmallRun.CreateModel<T>();
        new Trainer(uninterrupted, SmallRun.Data, options).Run();
        foreach (int stopAfter in stops)
        {
            bool resumes = stopAfter > stops[0];
            using T model = SmallRun.CreateModel<T>();
            if (resumes)
            {
                disturb?.Invoke(model);
            }

            using var stop = new CancellationTokenSource();
            new Trainer(model, SmallRun.Data, options with { OutputFolder = folder.Path, Resume = resumes }).Run(
                m =>
                {
                    if (m.Step == stopAfter)
                    {
                        stop.Cancel();
                    }
                },
                stop.Token);
            if (stopAfter == stops[^1])
            {
                Assert.Equal(SmallRun.State(uninterrupted), SmallRun.State(model));
                Assert.All(
                    uninterrupted.Parameters.Zip(model.Parameters).Where(p => p.First.Info.Slot >= 0), p => Assert.Equal(uninterrupted.Read(p.First), model.Read(p.Second)));
            }
        }
    }
}
