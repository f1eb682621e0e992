using ModelCompiler.Adapters;
using ModelCompiler.Backends;
using ModelCompiler.Backends.Cpu;
using ModelCompiler.HuggingFace.Peft;
using ModelCompiler.Models;
using ModelCompiler.Planning;
using ModelCompiler.Safetensors;
using ModelCompiler.Testing.Reference;
using ModelCompiler.Tests.Files;
using ModelCompiler.Tests.Models;
using ModelCompiler.Tests.Training;
using ModelCompiler.Training;

namespace ModelCompiler.Tests.Adapters;

/// <summary>L1RA by the oracles of its specification: ranks that move change nothing that the model computes, and memory stays where it was planned.</summary>
public class L1raTests
{
    // A look after every second step.
    private static readonly TrainingOptions Options = SmallRun.Options with { Steps = 20, WarmupSteps = 0 };

    [Fact]
    public void Moving_ranks_leaves_the_loss_as_it_is()
    {
        using var model = Model.ForTraining<StoriesL1ra>(SmallRun.Plan(), new ReferenceBackend());
        Initialization.All(model, seed: 5);
        Disturb(model);
        double before = SmallRun.Gradients(model);
        RankPattern first = Pattern(model);

        AdapterSchedule schedule = Assert.Single(Options.SchedulesOf(model));
        schedule.BeginStep(3);

        Assert.NotNull(schedule.Moved);
        Assert.Equal(schedule.Moved, Pattern(model));
        Assert.Equal(first.Total, schedule.Moved.Total);
        Assert.Contains(model.Adapters, a => a.Rank > 4);
        Assert.Contains(model.Adapters, a => a.Rank < 4);
        Assert.Equal(before, SmallRun.Gradients(model), Math.Abs(before) * 1e-13);
        Assert.All(model.Adapters.Cast<L1raAdapter>(), a => Assert.Equal(a.Rank, a.A.Value.Rows));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void What_stays_of_a_move_is_there_to_the_bit_with_its_moments(int seed)
    {
        using StoriesL1raSplice model = SmallRun.CreateModel<StoriesL1raSplice>();
        var random = new Random(seed);
        L1raAdapter[] adapters = [.. model.Adapters.Cast<L1raAdapter>()];
        float[] frozen = [.. model.Parameters.Where(p => p.Info.Slot < 0).SelectMany(model.Read)];
        for (int move = 0; move < 12; move++)
        {
            foreach (Parameter p in model.Trainable)
            {
                foreach (var place in new[] { p.Value, p.Moments.First, p.Moments.Second })
                {
                    model.Backend.Write(place, (float[])[.. Enumerable.Range(0, (int)place.Count).Select(_ => random.NextSingle())]);
                }
            }

            // Every adapter keeps some directions and gives some of the others away; the sum stays.
            int[][] kept = [.. adapters.Select(a => (int[])[.. Enumerable.Range(0, a.Rank).Where(j => j == 0 || random.Next(3) > 0)])];
            int[] ranks = [.. kept.Select(k => k.Length)];
            for (int spare = adapters.Sum(a => a.Rank) - ranks.Sum(); spare > 0;)
            {
                int taker = random.Next(ranks.Length);
                if (ranks[taker] < adapters[taker].Slot.MaximumRank)
                {
                    ranks[taker]++;
                    spare--;
                }
            }

            int At(int slot, int layer) => Array.FindIndex(adapters, a => a.Index == slot && a.Layer == layer);
            var expected = adapters.Select((a, i) => a.Parameters.Select(p => Expected(model, p, kept[i], ranks[i])).ToArray()).ToArray();

            model.Packed!.Move(new RankPattern(StoriesL1raSplice.Tables, (slot, layer) => ranks[At(slot, layer)]), (slot, layer) => kept[At(slot, layer)], moments: true);

            for (int i = 0; i < adapters.Length; i++)
            {
                adapters[i].TakeRank();
                Assert.Equal(ranks[i], adapters[i].Rank);
                foreach ((Parameter p, float[][] values) in adapters[i].Parameters.Zip(expected[i]))
                {
                    Assert.Equal(values[0], model.Read(p));
                    Assert.Equal(values[1], Read(model, p.Moments.First));
                    Assert.Equal(values[2], Read(model, p.Moments.Second));
                }
            }

            AssertApart(model);
        }

        Assert.Equal(frozen, model.Parameters.Where(p => p.Info.Slot < 0).SelectMany(model.Read));
    }

    [Fact]
    public void A_run_moves_ranks_within_its_budget_and_starts_moments_again()
    {
        using StoriesL1ra model = SmallRun.CreateModel<StoriesL1ra>();
        int budget = Pattern(model).Total;
        var moves = new List<RankPattern>();
        new Trainer(model, SmallRun.Data, Options).Run(step =>
        {
            Assert.InRange(Pattern(model).Total, 1, budget);
            Assert.All(model.Adapters.Cast<L1raAdapter>(), a => Assert.All(model.Read(a.C), c => Assert.InRange(c, 0, 1)));
            if (step.Ranks is { } ranks)
            {
                Assert.Equal(1, step.Step % 2);
                Assert.Equal(Pattern(model), ranks);
                moves.Add(ranks);
            }
        });

        Assert.True(moves.Count > 2, $"{moves.Count} moves");
        Assert.All(moves, ranks => Assert.Equal(budget, ranks.Total));
        Assert.True(Spread(moves[^1]) > 2);
    }

    [Fact]
    public void After_a_restart_the_first_update_is_that_of_a_first_step()
    {
        using StoriesL1ra model = SmallRun.CreateModel<StoriesL1ra>();
        TrainingOptions options = Options with { WeightDecay = 0, MaximumGradientNorm = 0, Schedule = Schedule.Constant };
        var trainer = new Trainer(model, SmallRun.Data, options);
        while (!(trainer.Step().Ranks is not null))
        {
            Assert.True(trainer.CompletedSteps < 18);
        }

        // Bias-corrected, m / sqrt(v) of one gradient g is the sign of g; the values of before are not at hand, the moments are.
        foreach (Parameter p in model.Adapters.Cast<L1raAdapter>().Select(a => a.A))
        {
            float[] first = Read(model, p.Moments.First);
            float[] second = Read(model, p.Moments.Second);
            Assert.All(first.Zip(second), m => Assert.Equal(m.First * (double)m.First / 0.01, m.Second / 0.001, Math.Abs(m.Second) * 1 + 1e-12));
        }
    }

    [Fact]
    public void A_resumed_run_has_the_bits_of_an_uninterrupted_one_across_the_moves()
    {
        Resumes<StoriesL1ra>();
        Resumes<StoriesL1raSplice>();
        Resumes<StoriesL1raPublished>();
    }

    [Fact]
    public void A_damaged_state_of_the_ranks_is_named()
    {
        using var folder = new TemporaryFolder();
        TrainingOptions options = Options with { Schedule = Schedule.Constant, OutputFolder = folder.Path, Steps = 20 };
        using (StoriesL1ra model = SmallRun.CreateModel<StoriesL1ra>())
        {
            using var stop = new CancellationTokenSource();
            new Trainer(model, SmallRun.Data, options).Run(s => Cancel(s, 4, stop), stop.Token);
        }

        string path = Path.Combine(folder.Path, TrainingCheckpoint.FileName);
        byte[] bytes = File.ReadAllBytes(path);
        byte[] spare = System.Text.Encoding.ASCII.GetBytes("Spare");
        int at = bytes.AsSpan().IndexOf(spare);
        bytes[at] = (byte)'X';
        File.WriteAllBytes(path, bytes);
        bytes[at + 12] = (byte)'?';
        File.WriteAllBytes(path, bytes);
        using StoriesL1ra second = SmallRun.CreateModel<StoriesL1ra>();
        Assert.Contains("L1raSchedule", Assert.Throws<CheckpointException>(() => new Trainer(second, SmallRun.Data, options with { Resume = true })).Message);
    }

    [Fact]
    public void The_files_are_a_LoRA_with_a_rank_pattern_that_computes_the_same()
    {
        using var folder = new TemporaryFolder();
        using StoriesL1ra trained = SmallRun.CreateModel<StoriesL1ra>();
        new Trainer(trained, SmallRun.Data, Options).Run();
        AdapterFiles.Save(trained, folder.Path);
        double expected = SmallRun.Gradients(trained);

        // The method's own files, by the ranks they say.
        RankPattern ranks = AdapterFiles.Ranks(StoriesL1ra.Tables, folder.Path)!;
        Assert.Equal(Pattern(trained), ranks);
        using (var loaded = Model.ForTraining<StoriesL1ra>(SmallRun.Plan() with { Ranks = ranks, MoveRanks = false }, new CpuBackend(1)))
        {
            Initialization.All(loaded, seed: 5);
            AdapterFiles.Load(loaded, folder.Path);
            Assert.Equal(expected, SmallRun.Gradients(loaded), Math.Abs(expected) * 1e-6);
        }

        // PEFT's rules: plain LoRA of these ranks and scales.
        PeftAdapter peft = PeftAdapter.Load(folder.Path);
        using var lora = Model.ForTraining<Stories260K_Lora>(SmallRun.Plan() with { Ranks = new RankPattern(Stories260K_Lora.Tables, (slot, layer) => ranks[slot, layer]) }, new CpuBackend(1));
        Initialization.All(lora, seed: 5);
        foreach (LoraAdapter adapter in lora.Adapters.Cast<LoraAdapter>())
        {
            LowRankFactors module = peft.Modules[lora.ModuleOf(adapter)];
            double correction = peft.Config.ScaleOf(lora.ModuleOf(adapter)) / adapter.Scale;
            lora.Backend.Write(adapter.A.Value, module.A);
            lora.Backend.Write(adapter.B.Value, (float[])[.. module.B.Select(b => (float)(b * correction))]);
        }

        Assert.Equal(expected, SmallRun.Gradients(lora), Math.Abs(expected) * 1e-5);
        Assert.NotEqual(expected, Base(), Math.Abs(expected) * 1e-3);
    }

    // Ranks of 16 of 7 · 32 adapters, at most 32 each: gate, up and down have 32, and of the rest a sum of 16 a layer is left to q, k, v and o.
    [Fact]
    public void Llama_2_7B_has_room_for_the_costliest_ranks_and_no_more()
    {
        var plan = new TrainingPlan { Sequence = 512 };
        MemoryCost cost = Llama2_7B_L1ra.MemoryCost(plan, BackendProfile.Cpu(2));
        long wide = 4096 + 11008, narrow = 4096 + 4096;
        long parameters = 32 * (96 * (wide + 1) + 16 * (narrow + 1));
        long region = cost.Adapters;
        Assert.InRange(region, 4 * parameters, 4 * parameters + 224 * 64);
        Assert.Equal((region, 2 * region), (cost.Gradients, cost.Optimizer));
        Assert.Equal(772, (4 * region) >> 20);

        // Slabs of the double rank for every adapter would take 1,220 MiB; ranks that stay, half of that.
        MemoryCost slabs = Llama2_7B_L1ra.MemoryCost(plan with { Rank = 32, MoveRanks = false }, BackendProfile.Cpu(2));
        Assert.Equal(1220, (slabs.Adapters + slabs.Gradients + slabs.Optimizer) >> 20);
        MemoryCost still = Llama2_7B_L1ra.MemoryCost(plan with { MoveRanks = false }, BackendProfile.Cpu(2));
        Assert.Equal(610, (still.Adapters + still.Gradients + still.Optimizer) >> 20);
    }

    [Theory]
    [InlineData(Optimizer.AdamW)]
    [InlineData(Optimizer.AdamW8Bit)]
    [InlineData(Optimizer.PagedAdamW)]
    public void Ranks_that_would_not_fit_the_room_are_refused(Optimizer optimizer)
    {
        using StoriesL1ra model = SmallRun.CreateModel<StoriesL1ra>(optimizer: optimizer);
        var tooMany = new RankPattern(StoriesL1ra.Tables, (_, _) => 8);
        Assert.Contains("do not fit", Assert.Throws<ArgumentException>(() => model.Packed!.Resize(tooMany)).Message);
    }

    private static void Resumes<T>()
        where T : TransformerModel, IModel<T>
    {
        TrainingOptions options = Options with { Schedule = Schedule.Constant };
        using T uninterrupted = SmallRun.CreateModel<T>();
        int moves = 0;
        new Trainer(uninterrupted, SmallRun.Data, options).Run(s => moves += s.Ranks is null ? 0 : 1);
        Assert.True(moves > 1, $"{moves} moves");
        foreach (int stop in new[] { 2, 5, 10 })
        {
            using var folder = new TemporaryFolder();
            using (T first = SmallRun.CreateModel<T>())
            {
                using var cancel = new CancellationTokenSource();
                new Trainer(first, SmallRun.Data, options with { OutputFolder = folder.Path }).Run(s => Cancel(s, stop, cancel), cancel.Token);
            }

            using T second = SmallRun.CreateModel<T>();
            new Trainer(second, SmallRun.Data, options with { OutputFolder = folder.Path, Resume = true }).Run();
            Assert.Equal(Pattern(uninterrupted), Pattern(second));
            Assert.Equal(SmallRun.State(uninterrupted), SmallRun.State(second));
        }
    }

    private static void Cancel(in StepMetrics step, int after, CancellationTokenSource source)
    {
        if (step.Step == after)
        {
            source.Cancel();
        }
    }

    /// <summary>B of any values, and gates of which some are 0.</summary>
    private static void Disturb(TransformerModel model)
    {
        var random = new Random(3);
        foreach (L1raAdapter adapter in model.Adapters.Cast<L1raAdapter>())
        {
            model.Backend.Write(adapter.B.Value, (double[])[.. Enumerable.Range(0, (int)adapter.B.Value.Count).Select(_ => random.NextDouble() - 0.5)]);
            bool pruned = (adapter.Index + adapter.Layer) % 2 == 0;
            model.Backend.Write(adapter.C.Value, (double[])[.. Enumerable.Range(0, adapter.Rank).Select(j => pruned && j < 2 ? 0 : 0.2 + 0.7 * random.NextDouble())]);
        }
    }

    private static float[][] Expected(TransformerModel model, Parameter p, int[] kept, int rank)
    {
        bool byRow = p.Info.Rows.Symbol == DimSymbol.Rank;
        return [.. new[] { p.Value, p.Moments.First, p.Moments.Second }.Select(place =>
        {
            float[] old = Read(model, place);
            (int rows, int columns) = byRow ? (rank, place.Columns) : (place.Rows, rank);
            var wanted = new float[rows * columns];
            for (int i = 0; i < wanted.Length; i++)
            {
                (int row, int column) = (i / columns, i % columns);
                int direction = byRow ? row : column;
                wanted[i] = direction >= kept.Length ? 0 : byRow ? old[kept[direction] * place.Columns + column] : old[row * place.Columns + kept[direction]];
            }

            return wanted;
        })];
    }

    /// <summary>No two parameters, gradients or moments share a byte, and all lie in the arena's part for adapters.</summary>
    private static void AssertApart(TransformerModel model)
    {
        PackedRegions regions = model.Plan.Packed!;
        (Func<Parameter, Tensors.Tensor> Of, long Start)[] kinds =
            [(p => p.Value, regions.Values), (p => p.WholeGradient, regions.Gradients), (p => p.Moments.First, regions.First), (p => p.Moments.Second, regions.Second)];
        foreach ((Func<Parameter, Tensors.Tensor> of, long start) in kinds)
        {
            long end = start;
            foreach (Tensors.Tensor place in model.Trainable.Select(of).OrderBy(t => t.Offset))
            {
                Assert.InRange(place.Offset, end, start + regions.Bytes);
                end = place.End;
            }

            Assert.InRange(end, start, start + regions.Bytes);
        }
    }

    private static double Base()
    {
        using var model = Model.ForTraining<Stories260K>(SmallRun.Plan(), new CpuBackend(1));
        Initialization.All(model, seed: 5);
        return SmallRun.Gradients(model);
    }

    private static RankPattern Pattern(TransformerModel model) =>
        new(model.Tables, (slot, layer) => model.Adapters.First(a => a.Index == slot && a.Layer == layer).Rank);

    private static int Spread(RankPattern ranks)
    {
        int[] all = [.. Enumerable.Range(0, 5).SelectMany(ranks.In)];
        return all.Max() - all.Min();
    }

    private static float[] Read(TransformerModel model, Tensors.Tensor place)
    {
        var values = new float[place.Count];
        model.Backend.Read(place, values);
        return values;
    }
}

/// <summary>L1RA with gates that move fast, so that a short run moves ranks.</summary>
[FineTune<Stories260K>]
[L1ra(Rank = 4, MaximumRank = 7, Alpha = 8, GateRate = 0.3, Lambda = 0.3)]
public partial class StoriesL1ra;

/// <summary>The same with moments that go where their directions go.</summary>
[FineTune<Stories260K>]
[L1ra(Rank = 4, MaximumRank = 7, Alpha = 8, Dropout = 0.1f, GateRate = 0.3, Lambda = 0.3, OptimizerOnReassign = OptimizerOnReassign.Splice)]
public partial class StoriesL1raSplice;

/// <summary>The published optimizer.</summary>
[FineTune<Stories260K>]
[L1ra(Rank = 4, MaximumRank = 7, Alpha = 8, GateRate = 0.4, Lambda = 0.3, Mode = L1raMode.AdamE)]
public partial class StoriesL1raPublished;
