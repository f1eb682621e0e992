using ModelCompiler.Adapters;
using ModelCompiler.HuggingFace.Peft;
using ModelCompiler.HuggingFace.Weights;
using ModelCompiler.Models;
using ModelCompiler.Planning;
using ModelCompiler.Safetensors;
using ModelCompiler.Testing.Null;
using ModelCompiler.Testing.Reference;
using ModelCompiler.Tests.Files;
using ModelCompiler.Tests.Models;
using ModelCompiler.Tests.Training;
using ModelCompiler.Training;
using static ModelCompiler.Tests.Adapters.AdapterRun;

namespace ModelCompiler.Tests.Adapters;

public class LamdaTests
{
    /// <summary>Twelve steps with a decay that would move a column that is not really frozen.</summary>
    private static TrainingOptions Options => SmallRun.Options with { WeightDecay = 0.1 };

    [Fact]
    public void Every_start_computes_what_the_base_does()
    {
        StartsAt<StoriesLamda, Stories260K>();
        StartsAt<StoriesLamdaResidual, Stories260K>();
        StartsAt<StoriesLamdaRandom, Stories260K>();
        StartsAt<StoriesLamdaNf4, StoriesNf4>();
    }

    [Fact]
    public void Spectral_starts_are_the_largest_singular_vectors_of_the_weights()
    {
        AreSingularVectors<StoriesLamda>(start: 0);
        AreSingularVectors<StoriesLamdaResidual>(start: 1);
        AreSingularVectors<StoriesLamdaNf4>(start: 1);
    }

    [Fact]
    public void Every_start_trains()
    {
        Trains<StoriesLamda>();
        Trains<StoriesLamdaResidual>();
        Trains<StoriesLamdaRandom>();
        Trains<StoriesLamdaNf4>();
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(3, 0)]
    [InlineData(4, 1)]
    [InlineData(15, 4)]
    [InlineData(29, 7)]
    [InlineData(30, 8)]
    [InlineData(100, 8)]
    public void Columns_freeze_on_a_straight_line_to_three_tenths_of_the_steps(int completed, int frozen) =>
        Assert.Equal(frozen, LamdaSchedule.FrozenColumns(8, 0.3, 100, completed));

    [Fact]
    public void The_ends_of_the_line_are_the_first_and_the_last_step()
    {
        Assert.Equal(8, LamdaSchedule.FrozenColumns(8, 0, 100, 0));
        Assert.Equal(7, LamdaSchedule.FrozenColumns(8, 1, 100, 99));
        Assert.Equal(0, LamdaSchedule.FrozenColumns(8, 1e-9, 100, 0));
        Assert.Equal(8, LamdaSchedule.FrozenColumns(8, 1e-9, 100, 1));
    }

    [Fact]
    public void Frozen_columns_and_their_moments_keep_every_bit_and_live_ones_move()
    {
        using StoriesLamda model = SmallRun.CreateModel<StoriesLamda>();
        LamdaAdapter[] adapters = [.. model.Adapters.Cast<LamdaAdapter>()];
        float[][][] before = [.. adapters.Select(a => Columns(model, a))];
        float[][] projections = [.. adapters.Select(a => model.Read(a.A))];
        int frozenColumns = 0;
        new Trainer(model, SmallRun.Data, Options).Run(m =>
        {
            for (int i = 0; i < adapters.Length; i++)
            {
                float[][] after = Columns(model, adapters[i]);
                int frozen = LamdaSchedule.FrozenColumns(adapters[i].Rank, adapters[i].FreezeUntil, Options.Steps, m.Step - 1);
                for (int column = 0; column < after.Length; column++)
                {
                    Assert.Equal(column < frozen, before[i][column].AsSpan().SequenceEqual(after[column]));
                }

                before[i] = after;
                frozenColumns += frozen;
            }
        });

        Assert.True(frozenColumns > 0);
        Assert.All(adapters, a => Assert.Equal(0, a.B.UpdateWindow.Columns));
        Assert.All(adapters.Zip(projections), a => Assert.Equal(a.Second, model.Read(a.First.A)));
    }

    [Fact]
    public void Folded_weights_compute_what_the_adapter_does()
    {
        Folds<StoriesLamda, Stories260K>();
        Folds<StoriesLamdaRandom, Stories260K>();
        Folds<StoriesLamdaNf4, StoriesNf4>();
    }

    [Fact]
    public void The_files_are_a_LoRA_of_the_same_rank_and_scale_and_the_state_beside_them()
    {
        using var folder = new TemporaryFolder();
        using StoriesLamdaRandom trained = SmallRun.CreateModel<StoriesLamdaRandom>();
        new Trainer(trained, SmallRun.Data, Options).Run();
        AdapterFiles.Save(trained, folder.Path);

        double[] expected = Logits<StoriesLamdaRandom>(folder.Path);
        double[] folded = Logits<StoriesGaussian>(folder.Path);

        Assert.All(expected.Zip(folded), pair => Assert.Equal(pair.First, pair.Second, 1e-5));
        Assert.True(expected.Zip(Logits<Stories260K>(null)).Max(pair => Math.Abs(pair.First - pair.Second)) > 1e-3);
        using StoriesLamdaRandom loaded = SmallRun.CreateModel<StoriesLamdaRandom>();
        AdapterFiles.Load(loaded, folder.Path);
        Assert.All(trained.Parameters.Zip(loaded.Parameters), pair => Assert.Equal(trained.Read(pair.First), loaded.Read(pair.Second)));
        File.Delete(Path.Combine(folder.Path, AdapterFiles.StateName));
        Assert.Contains("the LaMDA adapters", Assert.Throws<CheckpointException>(() => AdapterFiles.Load(loaded, folder.Path)).Message);
    }

    [Fact]
    public void A_resumed_run_has_the_bits_of_an_uninterrupted_one_across_the_freezing()
    {
        Resumes<StoriesLamda>(Options, [3, 5, 12], LoseA);
        Resumes<StoriesLamdaRandom>(Options, [3, 5, 12], LoseA);
        Resumes<StoriesLamdaNf4>(Options, [3, 5, 12], LoseA);
    }

    [Fact]
    public void More_steps_would_freeze_later_and_are_refused_where_a_run_is_resumed()
    {
        using var folder = new TemporaryFolder();
        TrainingOptions options = Options with { Steps = 2, Schedule = Schedule.Constant, OutputFolder = folder.Path };
        using StoriesLamda model = SmallRun.CreateModel<StoriesLamda>();
        new Trainer(model, SmallRun.Data, options).Run();

        string message = Assert.Throws<TrainingException>(() => new Trainer(model, SmallRun.Data, options with { Steps = 4, Resume = true })).Message;
        Assert.Contains("LamdaSchedule was 'LaMDA over 2 steps', now 'LaMDA over 4 steps'", message);
    }

    // (r² + out · r) of the seven projections of 32 layers: four of 4096 outputs, down of 4096 and two of 11008; afterwards r² of each.
    [Fact]
    public void Llama_2_7B_trains_the_published_numbers_of_parameters()
    {
        using Llama2_7B_Lamda model = Llama2_7B_Lamda.ForTraining(new TrainingPlan { Sequence = 8 }, new NullBackend());
        AdapterSchedule schedule = Assert.Single((new TrainingOptions { Steps = 100 }).SchedulesOf(model));
        long Live() => model.Trainable.Sum(p => (long)p.UpdateWindow.Rows * p.UpdateWindow.Columns);

        schedule.BeginStep(1);
        Assert.Equal(87_949_312, Live());
        Assert.Equal(87_949_312, Llama2_7B_Lamda.Tables.ParameterCount(trainable: true));
        schedule.BeginStep(31);
        Assert.Equal(917_504, Live());
    }

    private static void StartsAt<T, TBase>()
        where T : TransformerModel, IModel<T>
        where TBase : TransformerModel, IModel<TBase>
    {
        double[] expected = Logits<TBase>(null);
        double[] actual = Logits<T>(null);
        Assert.All(expected.Zip(actual), pair => Assert.Equal(pair.First, pair.Second, 1e-12));
    }

    private static void AreSingularVectors<T>(double start)
        where T : TransformerModel, IModel<T>
    {
        using T model = SmallRun.CreateModel<T>();
        foreach (LamdaAdapter adapter in model.Adapters.Cast<LamdaAdapter>())
        {
            (float[] a, float[] s, float[] b) = (model.Read(adapter.A), model.Read(adapter.S), model.Read(adapter.B));
            float[] w = model.Read(adapter.WeightIn(model));
            (int inputs, int outputs, int rank) = (adapter.Inputs, adapter.Outputs, adapter.Rank);
            double previous = double.PositiveInfinity;
            for (int k = 0; k < rank; k++)
            {
                // W v = σ u and Wᵀ u = σ v.
                double[] image = [.. Enumerable.Range(0, outputs).Select(i => Enumerable.Range(0, inputs).Sum(j => (double)w[i * inputs + j] * a[k * inputs + j]))];
                double[] back = [.. Enumerable.Range(0, inputs).Select(j => Enumerable.Range(0, outputs).Sum(i => (double)w[i * inputs + j] * b[i * rank + k]))];
                double sigma = ModelRun.Norm(image);
                Assert.All(Enumerable.Range(0, outputs), i => Assert.Equal(image[i], sigma * b[i * rank + k], 1e-5));
                Assert.All(Enumerable.Range(0, inputs), j => Assert.Equal(back[j], sigma * a[k * inputs + j], 1e-5));
                Assert.InRange(sigma, 0, previous);
                for (int other = 0; other < rank; other++)
                {
                    double dot = Enumerable.Range(0, inputs).Sum(j => (double)a[k * inputs + j] * a[other * inputs + j]);
                    Assert.Equal(k == other ? 1 : 0, dot, 1e-5);
                    Assert.Equal(k == other ? start * sigma / adapter.Scale : 0, s[k * rank + other], 1e-5);
                }

                previous = sigma;
            }

            // No direction that is orthogonal to them is longer than the last of them: power iteration on the rest of W finds none.
            Assert.InRange(LargestBeside(w, a, rank, inputs), 0, previous * (1 + 1e-6));
        }
    }

    private static double LargestBeside(float[] w, float[] a, int rank, int inputs)
    {
        int outputs = w.Length / inputs;
        double[] v = [.. Enumerable.Range(0, inputs).Select(j => Math.Sin(j + 1))];
        double sigma = 0;
        for (int iteration = 0; iteration < 40; iteration++)
        {
            for (int k = 0; k < rank; k++)
            {
                double dot = Enumerable.Range(0, inputs).Sum(j => v[j] * a[k * inputs + j]);
                v = [.. v.Select((x, j) => x - dot * a[k * inputs + j])];
            }

            double norm = ModelRun.Norm(v);
            v = [.. v.Select(x => x / norm)];
            double[] image = [.. Enumerable.Range(0, outputs).Select(i => Enumerable.Range(0, inputs).Sum(j => w[i * inputs + j] * v[j]))];
            sigma = ModelRun.Norm(image);
            v = [.. Enumerable.Range(0, inputs).Select(j => Enumerable.Range(0, outputs).Sum(i => w[i * inputs + j] * image[i]))];
        }

        return sigma;
    }

    private static void Trains<T>()
        where T : TransformerModel, IModel<T>
    {
        using T model = SmallRun.CreateModel<T>();
        float[][] before = [.. model.Trainable.Select(p => model.Read(p))];
        var losses = new List<double>();
        new Trainer(model, SmallRun.Data, Options with { Steps = 30, WeightDecay = 0 }).Run(m => losses.Add(m.Loss));
        Assert.True(losses.TakeLast(5).Average() < losses.Take(5).Average() - 0.05, $"{losses[0]} to {losses[^1]}");
        Assert.All(model.Trainable.Zip(before), p => Assert.False(model.Read(p.First).AsSpan().SequenceEqual(p.Second), p.First.Path));
    }

    private static void Folds<T, TBase>()
        where T : TransformerModel, IModel<T>
        where TBase : TransformerModel, IModel<TBase>
    {
        using var folder = new TemporaryFolder();
        using var unadapted = new TemporaryFolder();
        using var merged = new TemporaryFolder();
        using T trained = SmallRun.CreateModel<T>();
        new Trainer(trained, SmallRun.Data, Options).Run();
        AdapterFiles.Save(trained, folder.Path);
        BaseWeights.Save(trained, unadapted.Path);
        double[] expected = Logits<T>(folder.Path, unadapted.Path);

        MergedWeights.Save(trained, merged.Path);
        using var bare = Model.ForGeneration<Stories260K>(16, backend: new ReferenceBackend());
        BaseWeights.Load(bare, merged.Path);

        Assert.All(expected.Zip(Logits(bare)), pair => Assert.Equal(pair.First, pair.Second, 1e-5));
        Assert.True(expected.Zip(Logits<TBase>(null)).Max(pair => Math.Abs(pair.First - pair.Second)) > 1e-3);
    }

    /// <summary>The frozen A comes from the checkpoint and not from the seed.</summary>
    private static void LoseA(TransformerModel model) =>
        Assert.All(model.Adapters.Cast<LamdaAdapter>(), a => Initialization.Constant(model, a.A, 0));

    /// <summary>The value and the moments of each column of B.</summary>
    private static float[][] Columns(TransformerModel model, LamdaAdapter adapter)
    {
        float[] value = model.Read(adapter.B);
        float[] first = new float[value.Length], second = new float[value.Length];
        model.Backend.Read(adapter.B.Moments.First, first);
        model.Backend.Read(adapter.B.Moments.Second, second);
        return
        [
            .. Enumerable.Range(0, adapter.Rank).Select(column =>
                new[] { value, first, second }.SelectMany(all => Enumerable.Range(0, adapter.Outputs).Select(row => all[row * adapter.Rank + column])).ToArray()),
        ];
    }
}
