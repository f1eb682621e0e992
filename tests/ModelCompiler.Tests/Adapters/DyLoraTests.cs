using ModelCompiler.Adapters;
using ModelCompiler.Backends;
using ModelCompiler.HuggingFace.Peft;
using ModelCompiler.Models;
using ModelCompiler.Planning;
using ModelCompiler.Testing.Reference;
using ModelCompiler.Tests.Files;
using ModelCompiler.Tests.Models;
using ModelCompiler.Tests.Training;
using ModelCompiler.Training;

namespace ModelCompiler.Tests.Adapters;

/// <summary>DyLoRA against plain LoRA of each rank made from its slices, and the oracles of Valipour et al. 2023 as the specification states them.</summary>
public class DyLoraTests
{
    private const int MaximumRank = 8;

    public static TheoryData<int, string> RanksAndStorages => new()
    {
        { 1, "" },
        { 3, "" },
        { 8, "" },
        { 2, "nf4" },
        { 5, "bf16" },
    };

    [Theory]
    [MemberData(nameof(RanksAndStorages))]
    public void At_every_rank_loss_and_gradients_are_those_of_plain_lora_over_the_slices(int rank, string storage)
    {
        TrainingPlan plan = SmallRun.Plan() with
        {
            Storage = storage switch { "nf4" => WeightFormat.NF4(32, true), "bf16" => WeightFormat.BFloat16, _ => null },
        };
        using var nested = Model.ForTraining<StoriesDyLora>(plan, new ReferenceBackend());
        using var plain = Model.ForTraining<Stories260K_Lora>(plan with { Rank = rank }, new ReferenceBackend());
        Initialization.All(nested, seed: 5);
        Initialization.All(plain, seed: 5);
        foreach ((DyLoraAdapter from, LoraAdapter to) in nested.Adapters.Cast<DyLoraAdapter>().Zip(plain.Adapters.Cast<LoraAdapter>()))
        {
            double[] a = Wave(from.A.Value.Count, 0.05);
            double[] b = Wave(from.B.Value.Count, 0.03);
            nested.Backend.Write(from.A.Value, (ReadOnlySpan<double>)a);
            nested.Backend.Write(from.B.Value, (ReadOnlySpan<double>)b);
            plain.Backend.Write(to.A.Value, (ReadOnlySpan<double>)a[..(rank * from.Inputs)]);
            plain.Backend.Write(to.B.Value, (ReadOnlySpan<double>)[.. b.Where((_, i) => i % MaximumRank < rank)]);
        }

        nested.UseRank(rank);
        Assert.Equal(SmallRun.Gradients(plain), SmallRun.Gradients(nested), 1e-12);
        foreach ((DyLoraAdapter from, LoraAdapter to) in nested.Adapters.Cast<DyLoraAdapter>().Zip(plain.Adapters.Cast<LoraAdapter>()))
        {
            Assert.Equal(plain.Values(to.A.Gradient), nested.Values(from.A.Gradient), (x, y) => Math.Abs(x - y) < 1e-12);
            Assert.Equal(plain.Values(to.B.Gradient), nested.Values(from.B.Gradient), (x, y) => Math.Abs(x - y) < 1e-12);
            Assert.Contains(nested.Values(from.A.Gradient), g => Math.Abs(g) > 1e-6);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_step_moves_the_directions_of_its_rank_and_leaves_all_others_to_the_bit(bool lastOnly)
    {
        using TransformerModel model = lastOnly ? SmallRun.CreateModel<StoriesDyLoraLastOnly>() : SmallRun.CreateModel<StoriesDyLora>();
        var options = SmallRun.Options with { WeightDecay = 0.1 };
        var trainer = new Trainer(model, SmallRun.Data, options);
        var schedule = (DyLoraSchedule)options.SchedulesOf(model).Single();
        var adapter = (DyLoraAdapter)model.Adapters[3];
        for (int step = 1; step <= 10; step++)
        {
            (float[] a, float[] b) = (model.Read(adapter.A), model.Read(adapter.B));
            trainer.Step();
            int rank = schedule.RankOf(step);
            int first = lastOnly ? rank - 1 : 0;
            (float[] newA, float[] newB) = (model.Read(adapter.A), model.Read(adapter.B));
            for (int direction = 0; direction < MaximumRank; direction++)
            {
                bool touched = direction >= first && direction < rank;
                float[] Column(float[] values) => [.. values.Where((_, i) => i % MaximumRank == direction)];
                int start = direction * adapter.Inputs;
                Assert.Equal(touched, !Column(b).SequenceEqual(Column(newB)));

                // While a column of B is zero, the row of A has no gradient; weight decay alone moves it.
                Assert.Equal(touched, !a[start..(start + adapter.Inputs)].SequenceEqual(newA[start..(start + adapter.Inputs)]));
            }

            Assert.Equal(MaximumRank, adapter.ActiveRank);
        }
    }

    [Fact]
    public void Bias_correction_goes_by_the_updates_of_each_direction()
    {
        // AdamW's first update of an element is rate · sign of its gradient, whenever it comes.
        using StoriesDyLora model = SmallRun.CreateModel<StoriesDyLora>();
        var options = SmallRun.Options with { WeightDecay = 0, Schedule = Schedule.Constant, WarmupSteps = 0, MaximumGradientNorm = 0, LearningRate = 1e-3 };
        var trainer = new Trainer(model, SmallRun.Data, options);
        var schedule = (DyLoraSchedule)options.SchedulesOf(model).Single();
        var adapter = (DyLoraAdapter)model.Adapters[3];
        var updated = new bool[MaximumRank];
        for (int step = 1; step <= 12; step++)
        {
            float[] before = model.Read(adapter.B);
            trainer.Step();
            float[] after = model.Read(adapter.B);
            for (int direction = 0; direction < schedule.RankOf(step); direction++)
            {
                if (!updated[direction])
                {
                    updated[direction] = true;
                    double[] moves = [.. before.Zip(after, (x, y) => Math.Abs((double)y - x)).Where((_, i) => i % MaximumRank == direction)];
                    Assert.Equal(1e-3, moves.Order().ElementAt(moves.Length / 2), 1e-5);
                }
            }
        }

        Assert.True(updated.Count(u => u) > 4);
    }

    [Fact]
    public void A_run_that_always_uses_the_maximum_rank_has_the_bits_of_plain_lora()
    {
        // Start values, scale, clipping, moments and bias correction: whatever DyLoRA did differently would show.
        var options = SmallRun.Options with { WeightDecay = 0.1 };
        using StoriesDyLoraFull nested = SmallRun.CreateModel<StoriesDyLoraFull>();
        using Stories260K_Lora plain = SmallRun.CreateModel<Stories260K_Lora>();
        Assert.Equal(new Trainer(plain, SmallRun.Data, options).Run().Loss, new Trainer(nested, SmallRun.Data, options).Run().Loss);
        foreach ((DyLoraAdapter one, LoraAdapter other) in nested.Adapters.Cast<DyLoraAdapter>().Zip(plain.Adapters.Cast<LoraAdapter>()))
        {
            Assert.Equal(plain.Read(other.A), nested.Read(one.A));
            Assert.Equal(plain.Read(other.B), nested.Read(one.B));
            Assert.Contains(nested.Read(one.B), b => b != 0);
        }
    }

    [Fact]
    public void A_share_of_the_steps_uses_the_maximum_rank_and_the_others_draw()
    {
        using StoriesDyLoraOften model = SmallRun.CreateModel<StoriesDyLoraOften>();
        var schedule = (DyLoraSchedule)(SmallRun.Options with { Seed = 7 }).SchedulesOf(model).Single();
        int[] drawn = [.. Enumerable.Range(1, 100_000).Select(schedule.RankOf)];
        double Expected(int rank) => drawn.Length * (0.4 / MaximumRank + (rank == MaximumRank ? 0.6 : 0));

        // Chi-square with 7 degrees of freedom, as below.
        Assert.InRange(Enumerable.Range(1, MaximumRank).Sum(rank => Math.Pow(drawn.Count(r => r == rank) - Expected(rank), 2) / Expected(rank)), 0, 24.3);
    }

    [Theory]
    [InlineData(RankDraw.Uniform, new[] { 1, 2, 3, 4, 5, 6, 7, 8 })]
    [InlineData(RankDraw.PowersOfTwo, new[] { 1, 2, 4, 8 })]
    public void Ranks_are_drawn_equally_often_and_again_the_same(RankDraw draw, int[] choices)
    {
        Assert.Equal(choices, DyLoraSchedule.Choices(draw, MaximumRank));
        Assert.Equal([1, 2, 4, 6], DyLoraSchedule.Choices(RankDraw.PowersOfTwo, 6));
        using TransformerModel model = draw == RankDraw.Uniform ? SmallRun.CreateModel<StoriesDyLora>() : SmallRun.CreateModel<StoriesDyLoraLastOnly>();
        DyLoraSchedule Schedule(ulong seed) => (DyLoraSchedule)(SmallRun.Options with { Seed = seed }).SchedulesOf(model).Single();
        int[] drawn = [.. Enumerable.Range(1, 100_000).Select(Schedule(7).RankOf)];

        // Chi-square with at most 7 degrees of freedom: 24.3 is exceeded once in a thousand seeds; this is one seed, for ever.
        double expected = drawn.Length / (double)choices.Length;
        Assert.InRange(choices.Sum(c => Math.Pow(drawn.Count(r => r == c) - expected, 2) / expected), 0, 24.3);
        Assert.Equal(drawn[..50], Enumerable.Range(1, 50).Select(Schedule(7).RankOf));
        Assert.NotEqual(drawn[..50], Enumerable.Range(1, 50).Select(Schedule(8).RankOf));
    }

    [Fact]
    public void A_resumed_run_has_the_bits_of_an_uninterrupted_one()
    {
        using StoriesDyLora uninterrupted = SmallRun.CreateModel<StoriesDyLora>();
        new Trainer(uninterrupted, SmallRun.Data, SmallRun.Options).Run();

        using var folder = new TemporaryFolder();
        using (StoriesDyLora model = SmallRun.CreateModel<StoriesDyLora>())
        {
            using var stop = new CancellationTokenSource();
            new Trainer(model, SmallRun.Data, SmallRun.Options with { OutputFolder = folder.Path }).Run(
                m =>
                {
                    if (m.Step == 5)
                    {
                        stop.Cancel();
                    }
                },
                stop.Token);
        }

        using StoriesDyLora resumed = SmallRun.CreateModel<StoriesDyLora>();
        TrainingResult result = new Trainer(resumed, SmallRun.Data, SmallRun.Options with { OutputFolder = folder.Path, Resume = true }).Run();
        Assert.Equal(12, result.Steps);
        Assert.Equal(SmallRun.State(uninterrupted), SmallRun.State(resumed));
    }

    [Theory]
    [InlineData(8, false)]
    [InlineData(3, false)]
    [InlineData(3, true)]
    public void An_export_at_a_rank_is_plain_lora_of_that_rank(int rank, bool stabilized)
    {
        using var folder = new TemporaryFolder();
        using TransformerModel model = stabilized ? SmallRun.CreateModel<StoriesDyLoraOften>() : SmallRun.CreateModel<StoriesDyLora>();
        new Trainer(model, SmallRun.Data, SmallRun.Options).Run();
        model.UseRank(rank);
        double loss = new Evaluator(model, SmallRun.HeldOut).Evaluate().Loss;
        AdapterFiles.Save(model, folder.Path);

        TrainingPlan plan = SmallRun.Plan() with { Rank = rank };
        using TransformerModel plain = stabilized
            ? Model.ForTraining<StoriesStabilizedLora>(plan, ModelBackends.Create("cpu-1"))
            : Model.ForTraining<Stories260K_Lora>(plan, ModelBackends.Create("cpu-1"));
        Initialization.All(plain, seed: 5);
        Assert.Equal(stabilized ? 6 / Math.Sqrt(rank) : 16.0 / rank, model.Adapters[0].Scale, 1e-6);
        double without = new Evaluator(plain, SmallRun.HeldOut).Evaluate().Loss;
        AdapterFiles.Load(plain, folder.Path);
        Assert.Equal(loss, new Evaluator(plain, SmallRun.HeldOut).Evaluate().Loss, 1e-5);
        Assert.NotEqual(loss, without, 1e-2);
    }

    private static double[] Wave(long count, double size) => [.. Enumerable.Range(0, (int)count).Select(i => size * Math.Sin(1 + 1.7 * i))];
}

/// <summary>DyLoRA as published: all ranks equally often, scale alpha / b.</summary>
[FineTune<Stories260K>]
[DyLora(Rank = 8, Alpha = 16, Targets = Projections.All)]
public partial class StoriesDyLora;

/// <summary>DyLoRA in its other mode: the last direction of a drawn power of two.</summary>
[FineTune<Stories260K>]
[DyLora(Rank = 8, Alpha = 16, Draw = RankDraw.PowersOfTwo, LastOnly = true)]
public partial class StoriesDyLoraLastOnly;

/// <summary>DyLoRA whose steps all use the maximum rank.</summary>
[FineTune<Stories260K>]
[DyLora(Rank = 8, Alpha = 16, FullRankShare = 1, Targets = Projections.All)]
public partial class StoriesDyLoraFull;

/// <summary>DyLoRA whose steps often use the maximum rank, scaled by its root.</summary>
[FineTune<Stories260K>]
[DyLora(Rank = 8, Alpha = 6, RankStabilized = true, FullRankShare = 0.6, Targets = Projections.All)]
public partial class StoriesDyLoraOften;

/// <summary>What its exports are.</summary>
[FineTune<Stories260K>]
[Lora(Rank = 8, Alpha = 6, RankStabilized = true, Targets = Projections.All)]
public partial class StoriesStabilizedLora;
