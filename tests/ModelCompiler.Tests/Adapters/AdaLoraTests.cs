using ModelCompiler.Adapters;
using ModelCompiler.HuggingFace.Peft;
using ModelCompiler.HuggingFace.Weights;
using ModelCompiler.Models;
using ModelCompiler.Planning;
using ModelCompiler.Testing.Reference;
using ModelCompiler.Tests.Files;
using ModelCompiler.Tests.Models;
using ModelCompiler.Tests.Training;
using ModelCompiler.Training;
using static ModelCompiler.Tests.Adapters.AdapterRun;

namespace ModelCompiler.Tests.Adapters;

public class AdaLoraTests
{
    [Fact]
    public void It_starts_with_what_the_base_computes()
    {
        Assert.Equal(Logits<Stories260K>(null), Logits<StoriesAdaLora>(null));
        Assert.Equal(Logits<StoriesNf4>(null), Logits<StoriesAdaLoraNf4>(null));
    }

    [Fact]
    public void Initial_ranks_are_one_and_a_half_times_the_target_where_none_is_given()
    {
        using StoriesAdaLora model = SmallRun.CreateModel<StoriesAdaLora>();
        Assert.Equal((4, 2, 2.0f), (model.Layers[2].Attention.Query.Adapter!.Rank, model.Layers[2].Attention.Query.Adapter!.TargetRank, model.Layers[2].Attention.Query.Adapter!.Scale));
        Assert.Equal((6, 4, 1.0f), (model.Layers[2].FeedForward.Up.Adapter!.Rank, model.Layers[2].FeedForward.Up.Adapter!.TargetRank, model.Layers[2].FeedForward.Up.Adapter!.Scale));
        double[] a = [.. model.Adapters.SelectMany(x => model.Values(((AdaLoraAdapter)x).A.Value))];
        Assert.Equal(0.02, Math.Sqrt(a.Average(v => v * v)), 0.0005);
    }

    [Theory]
    [InlineData(100, 0.1, 0.3, 10, 70)]
    [InlineData(60, 0, 0, 0, 60)]
    [InlineData(1, 0.1, 0.3, 0, 1)]
    [InlineData(3, 0.4, 0.5, 1, 2)]
    public void Phases_are_parts_of_the_steps(int steps, double warmup, double final, int expectedWarmup, int expectedLast) =>
        Assert.Equal((expectedWarmup, expectedLast), AdaLoraSchedule.Phases(steps, warmup, final));

    // 120 directions to 80 between steps 10 and 70: 40 (1 − 30/60)³ = 5 remain above the target half-way.
    [Theory]
    [InlineData(1, 120)]
    [InlineData(10, 120)]
    [InlineData(11, 118)]
    [InlineData(40, 85)]
    [InlineData(69, 80)]
    [InlineData(70, 80)]
    [InlineData(100, 80)]
    public void The_budget_falls_with_the_third_power_of_the_time_left(int step, int budget) =>
        Assert.Equal(budget, AdaLoraSchedule.Budget(step, 10, 70, 120, 80));

    [Fact]
    public void Regularization_adds_the_gradient_of_what_orthonormality_lacks()
    {
        using var model = Model.ForTraining<StoriesAdaLora>(SmallRun.Plan(), new ReferenceBackend());
        Initialization.All(model, seed: 5);
        model.ZeroGradients();
        foreach (AdaLoraAdapter adapter in model.Adapters.Cast<AdaLoraAdapter>())
        {
            Initialization.Uniform(model, adapter.A, 3, 0.3);
            Initialization.Uniform(model, adapter.B, 4, 0.3);
            model.Backend.Write(adapter.B.Gradient, (ReadOnlySpan<double>)Enumerable.Repeat(1.0, (int)adapter.B.Value.Count).ToArray());
        }

        ScheduleOf(model).AddGradients(1);

        const double Gamma = 0.1f, h = 1e-5;
        foreach (AdaLoraAdapter adapter in model.Adapters.Cast<AdaLoraAdapter>())
        {
            double[] a = model.Values(adapter.A.Value);
            double[] b = Transposed(model.Values(adapter.B.Value), adapter.Rank);
            (double[] da, double[] db) = (model.Values(adapter.A.Gradient), Transposed(model.Values(adapter.B.Gradient), adapter.Rank));
            for (int element = 0; element < a.Length; element += 37)
            {
                Assert.Equal(Difference(a, adapter.Inputs, element), da[element], 1e-7);
            }

            for (int element = 0; element < b.Length; element += 37)
            {
                Assert.Equal(1 + Difference(b, adapter.Outputs, element), db[element], 1e-7);
            }

            Assert.All(model.Values(adapter.E.Gradient), g => Assert.Equal(0, g));
        }

        double Difference(double[] rows, int width, int element)
        {
            double kept = rows[element];
            rows[element] = kept + h;
            double above = Lack(rows, width);
            rows[element] = kept - h;
            double below = Lack(rows, width);
            rows[element] = kept;
            return Gamma / (2 * model.Adapters.Count) * (above - below) / (2 * h);
        }
    }

    /// <summary>Sensitivity, uncertainty, scores and masks written out element by element, over steps with values and gradients of their own.</summary>
    [Fact]
    public void Directions_of_the_lowest_scores_lose_their_values()
    {
        using var model = Model.ForTraining<StoriesAdaLora>(SmallRun.Plan(), new ReferenceBackend());
        Initialization.All(model, seed: 5);
        AdapterSchedule schedule = ScheduleOf(model);
        AdaLoraAdapter[] adapters = [.. model.Adapters.Cast<AdaLoraAdapter>()];
        var sensitivity = adapters.SelectMany(a => a.Parameters).ToDictionary(p => p, p => new double[p.Value.Count]);
        var uncertainty = adapters.SelectMany(a => a.Parameters).ToDictionary(p => p, p => new double[p.Value.Count]);
        var mask = adapters.ToDictionary(a => a, a => Enumerable.Repeat(1.0, a.Rank).ToArray());
        const double Beta = 0.85f;
        int allocations = 0;
        for (int step = 1; step <= 12; step++)
        {
            var random = new Random(step);
            foreach (Parameter p in adapters.SelectMany(a => a.Parameters))
            {
                double[] w = Random(random, p), g = Random(random, p);
                model.Backend.Write(p.Value, (ReadOnlySpan<double>)w);
                model.Backend.Write(p.Gradient, (ReadOnlySpan<double>)g);
                for (int i = 0; i < w.Length && step <= 9; i++)
                {
                    double importance = Math.Abs(w[i] * g[i]);
                    sensitivity[p][i] = Beta * sensitivity[p][i] + (1 - Beta) * importance;
                    uncertainty[p][i] = Beta * uncertainty[p][i] + (1 - Beta) * Math.Abs(importance - sensitivity[p][i]);
                }
            }

            double[][] values = [.. adapters.Select(a => model.Values(a.E.Value))];
            schedule.EndStep(step, 1e-3);

            // Two steps of warm-up, three at the end, an allocation every second step: 102 directions to 60.
            if (step is 4 or 6 or 8 or 9)
            {
                int budget = new Dictionary<int, int> { [4] = 75, [6] = 63, [8] = 60, [9] = 60 }[step];
                var ranking = adapters.SelectMany(a => Enumerable.Range(0, a.Rank).Select(k => (Adapter: a, Direction: k, Score: Score(a, k)))).OrderBy(d => d.Score).ToArray();
                foreach ((var direction, int place) in ranking.Select((d, i) => (d, i)))
                {
                    mask[direction.Adapter][direction.Direction] = place < 102 - budget ? 0 : 1;
                }

                allocations++;
            }

            bool masked = step is 4 or 6 || step >= 8;
            foreach ((AdaLoraAdapter adapter, double[] value) in adapters.Zip(values))
            {
                Assert.Equal(value.Select((e, k) => masked ? e * mask[adapter][k] : e), model.Values(adapter.E.Value));
            }
        }

        Assert.Equal(4, allocations);

        double Score(AdaLoraAdapter a, int k) =>
            Of(a.E, k) + Enumerable.Range(0, a.Inputs).Average(i => Of(a.A, k * a.Inputs + i)) + Enumerable.Range(0, a.Outputs).Average(o => Of(a.B, o * a.Rank + k));

        double Of(Parameter p, int element) => sensitivity[p][element] * uncertainty[p][element];
    }

    [Fact]
    public void A_run_ends_with_its_budget_and_keeps_the_directions_it_has_then()
    {
        using StoriesAdaLora model = SmallRun.CreateModel<StoriesAdaLora>();
        var counts = new List<int>();
        var kept = new List<string>();
        new Trainer(model, SmallRun.Data, SmallRun.Options).Run(m =>
        {
            bool[] directions = [.. model.Adapters.SelectMany(a => model.Read(((AdaLoraAdapter)a).E).Select(e => e != 0))];
            counts.Add(directions.Count(d => d));
            kept.Add(string.Concat(directions.Select(d => d ? '1' : '0')));
        });

        Assert.Equal([102, 102, 102, 75, 102, 63, 102, 60, 60, 60, 60, 60], counts);
        Assert.Single(kept.Skip(8).Distinct());
    }

    [Fact]
    public void Every_storage_trains()
    {
        Trains<StoriesAdaLora>();
        Trains<StoriesAdaLoraNf4>();
    }

    [Fact]
    public void The_files_are_a_LoRA_of_the_kept_directions_and_the_state_beside_them()
    {
        using var folder = new TemporaryFolder();
        using StoriesAdaLora trained = SmallRun.CreateModel<StoriesAdaLora>();
        new Trainer(trained, SmallRun.Data, SmallRun.Options).Run();
        AdapterFiles.Save(trained, folder.Path);

        PeftAdapter file = PeftAdapter.Load(folder.Path);
        int[] kept = [.. trained.Adapters.Select(a => trained.Read(((AdaLoraAdapter)a).E).Count(e => e != 0))];
        Assert.Equal(60, kept.Sum());
        Assert.Equal(kept.Select(k => Math.Max(1, k)), trained.Adapters.Select(a => file.Config.RankOf(trained.ModuleOf(a))));

        // The matrices of the file on the base, by PEFT's rule.
        using var plain = Model.ForGeneration<Stories260K>(16, backend: new ReferenceBackend());
        Initialization.All(plain, seed: 5);
        foreach ((string module, LowRankFactors m) in file.Modules)
        {
            Parameter weight = plain.Named(module + ".weight");
            double[] w = [.. plain.Values(weight.Value).Select((x, i) =>
                x + file.Config.ScaleOf(module) * Enumerable.Range(0, m.Rank).Sum(k => (double)m.B[i / m.Inputs * m.Rank + k] * m.A[k * m.Inputs + i % m.Inputs]))];
            plain.Backend.Write(weight.Value, (ReadOnlySpan<double>)w);
        }

        double[] expected = Logits<StoriesAdaLora>(folder.Path);
        Assert.True(Apart(expected, Logits(plain)) < 1e-5);
        Assert.True(Apart(expected, Logits<Stories260K>(null)) > 1e-3);

        using var merged = new TemporaryFolder();
        MergedWeights.Save(trained, merged.Path);
        BaseWeights.Load(plain, merged.Path);
        Assert.True(Apart(expected, Logits(plain)) < 1e-5);

        using StoriesAdaLora loaded = SmallRun.CreateModel<StoriesAdaLora>();
        AdapterFiles.Load(loaded, folder.Path);
        Assert.All(
            trained.Adapters.SelectMany(a => a.Parameters).Zip(loaded.Adapters.SelectMany(a => a.Parameters)), pair => Assert.Equal(trained.Read(pair.First), loaded.Read(pair.Second)));
    }

    [Fact]
    public void An_adapter_without_a_direction_is_exported_as_one_that_adds_nothing()
    {
        using StoriesAdaLora model = SmallRun.CreateModel<StoriesAdaLora>();
        LowRankFactors module = model.Adapters[0].ToLora(model);

        Assert.Equal((1, 64, 64), (module.Rank, module.Inputs, module.Outputs));
        Assert.All(module.A, x => Assert.Equal(0, x));
    }

    [Fact]
    public void A_resumed_run_has_the_bits_of_an_uninterrupted_one_in_every_phase() =>
        Resumes<StoriesAdaLora>(SmallRun.Options, [1, 5, 8, 10, 12]);

    [Fact]
    public void More_steps_would_allocate_otherwise_and_are_refused_where_a_run_is_resumed()
    {
        using var folder = new TemporaryFolder();
        TrainingOptions options = SmallRun.Options with { Steps = 2, Schedule = Schedule.Constant, OutputFolder = folder.Path };
        using StoriesAdaLora model = SmallRun.CreateModel<StoriesAdaLora>();
        new Trainer(model, SmallRun.Data, options).Run();

        string message = Assert.Throws<TrainingException>(() => new Trainer(model, SmallRun.Data, options with { Steps = 4, Resume = true })).Message;
        Assert.Contains("AdaLoraSchedule was 'AdaLoRA over 2 steps', now 'AdaLoRA over 4 steps'", message);
    }

    /// <summary>What is kept of the parameters' history takes memory in training alone, and is no parameter of the model.</summary>
    [Fact]
    public void Generation_plans_no_history()
    {
        ModelTables tables = StoriesAdaLora.Tables;
        Plan serving = MemoryPlanner.Decode(tables, 1, 16, 16, BackendProfile.Cpu(1));
        Assert.All(serving.Parameters, p => Assert.Equal(p.Row.TrainingOnly, p.Value.Rows == 0));
        Plan training = MemoryPlanner.Train(tables, SmallRun.Plan(), BackendProfile.Cpu(1));
        Assert.True(training.Cost.Adapters > 2.9 * serving.Cost.Adapters);

        // Three layers, four projections of rank 4 and three of rank 6: rank (in + out) + rank each, beside the base.
        int own = 3 * (4 * (128 + 96 + 96 + 128 + 4) + 6 * (3 * 236 + 3));
        Assert.Equal(own, tables.ParameterCount(trainable: true));
        Assert.Equal(Stories260K.Tables.ParameterCount(trainable: false) + own, tables.ParameterCount(trainable: false));
    }

    private static AdapterSchedule ScheduleOf(TransformerModel model) => Assert.Single((new TrainingOptions { Steps = 12 }).SchedulesOf(model));

    private static double[] Random(Random random, Parameter p) => [.. Enumerable.Range(0, (int)p.Value.Count).Select(_ => random.NextDouble() - 0.5)];

    /// <summary>‖R Rᵀ − I‖² of rows R.</summary>
    private static double Lack(double[] rows, int width)
    {
        double[][] r = [.. rows.Chunk(width)];
        return r.Select((x, i) => r.Select((y, j) => Math.Pow(x.Zip(y, (a, b) => a * b).Sum() - (i == j ? 1 : 0), 2)).Sum()).Sum();
    }

    private static double[] Transposed(double[] matrix, int columns) =>
        [.. Enumerable.Range(0, columns).SelectMany(c => Enumerable.Range(0, matrix.Length / columns).Select(r => matrix[r * columns + c]))];

    private static void Trains<T>()
        where T : TransformerModel, IModel<T>
    {
        using T model = SmallRun.CreateModel<T>();
        float[][] before = [.. model.Trainable.Select(p => model.Read(p))];
        var losses = new List<double>();
        new Trainer(model, SmallRun.Data, SmallRun.Options with { Steps = 40, WeightDecay = 0, LearningRate = 3e-2 }).Run(m => losses.Add(m.Loss));
        Assert.True(losses.TakeLast(5).Average() < losses.Take(5).Average() - 0.05, $"{losses[0]} to {losses[^1]}");

        // Where the budget leaves an adapter nothing, E is 0 again.
        Assert.All(
            model.Trainable.Zip(before).Where(p => !p.First.Info.Vector || model.Read(p.First).Any(e => e != 0)),
            p => Assert.False(model.Read(p.First).AsSpan().SequenceEqual(p.Second), p.First.Path));
    }
}
