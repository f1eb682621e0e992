using System.Text.RegularExpressions;
using FsCheck;
using FsCheck.Fluent;
using ModelCompiler.Backends.Cpu;
using ModelCompiler.Models;
using ModelCompiler.Planning;
using ModelCompiler.Training;

namespace ModelCompiler.Tests.Planning;

/// <summary>The search for a plan, against grids of plans that are all laid out by the planner itself.</summary>
public class FitTests
{
    private static readonly BackendProfile s_cpu = BackendProfile.Cpu(2);
    private static readonly BackendProfile s_device = s_cpu with { IsHostMemory = false };
    private static readonly WeightFormat?[] s_storages = [null, WeightFormat.BFloat16, WeightFormat.Int8(64), WeightFormat.NF4(64, true)];
    private static readonly (int Batch, int GradientAccumulation)[] s_batches = [(1, 4), (2, 2), (4, 1)];
    private static readonly (Checkpointing Policy, int Every)[] s_policies =
        [(Checkpointing.None, 1), (Checkpointing.Selective, 1), (Checkpointing.Block, 1), (Checkpointing.Block, 2), (Checkpointing.Block, 3)];

    private static readonly FitOptions s_options = new() { EffectiveBatch = 4, Sequence = 64 };

    /// <summary>Every plan of the rank objective's space on stories260K, whose key and value allow ranks up to 32.</summary>
    private static readonly Lazy<(TrainingPlan Plan, long Peak)[]> s_ranks = new(() => Grid(
        Enumerable.Range(1, 32).Select(rank => new TrainingPlan { Sequence = 64, Rank = rank }), [Optimizer.AdamW, Optimizer.PagedAdamW, Optimizer.AdamW8Bit], s_storages));

    private static readonly Lazy<(TrainingPlan Plan, long Peak)[]> s_sequences = new(() => Grid(
        Enumerable.Range(1, 512).Select(tokens => new TrainingPlan { Sequence = tokens }), [Optimizer.AdamW], [null]));

    private static readonly Lazy<(TrainingPlan Plan, long Peak)[]> s_fastest = new(() => Grid(
        [new TrainingPlan { Sequence = 64 }], [Optimizer.AdamW, Optimizer.PagedAdamW, Optimizer.AdamW8Bit], s_storages));

    [Fact]
    public void The_largest_rank_is_that_of_all_plans() => Holds(s_ranks.Value, FitObjective.LargestRank, s_options, s_device, static p => p.Rank!.Value);

    [Fact]
    public void The_longest_sequence_is_that_of_all_plans() => Holds(
        s_sequences.Value, FitObjective.LongestSequence, s_options with { Sequence = null, Optimizer = Optimizer.AdamW, Storage = WeightFormat.Compute }, s_cpu, static p => p.Sequence);

    [Fact]
    public void The_fastest_plan_is_that_of_all_plans() => Holds(s_fastest.Value, FitObjective.Fastest, s_options, s_device, Speed);

    [Theory]
    [InlineData(FitObjective.Fastest)]
    [InlineData(FitObjective.LargestRank)]
    [InlineData(FitObjective.LongestSequence)]
    public void More_memory_is_never_worse(FitObjective objective) => Check.One(
        Config.QuickThrowOnFailure.WithMaxTest(40),
        Prop.ForAll(Cases().ToArbitrary(), c =>
        {
            FitResult less = TrainingPlan.Fit(c.Tables, c.Budget, objective, c.Profile, c.Options);
            FitResult more = TrainingPlan.Fit(c.Tables, c.Budget + c.More, objective, c.Profile, c.Options);
            return less.Best is null || (more.Best is not null && Value(objective, more.Best) >= Value(objective, less.Best));
        }));

    [Fact]
    public void What_is_found_costs_what_the_planner_says_and_keeps_what_was_pinned() => Check.One(
        Config.QuickThrowOnFailure.WithMaxTest(100),
        Prop.ForAll(Cases().ToArbitrary(), ArbMap.Default.GeneratorFor<FitObjective>().ToArbitrary(), (c, objective) =>
        {
            FitResult found = TrainingPlan.Fit(c.Tables, c.Budget, objective, c.Profile, c.Options);
            FittedPlan[] plans = found.Smallest is { } smallest ? [smallest] : [found.Best!, .. found.RunnersUp];
            Assert.Equal(found.Fits, plans.All(p => p.Cost.Peak <= c.Budget));
            Assert.Equal(found.Fits ? 0 : plans[0].Cost.Peak - c.Budget, found.Missing);
            Assert.All(plans, p =>
            {
                Assert.Equal(MemoryPlanner.Train(c.Tables, p.Plan, c.Profile).Cost, p.Cost);
                Assert.Equal(c.Options.Batch ?? p.Plan.Batch, p.Plan.Batch);
                Assert.Equal(c.Options.Checkpointing ?? p.Plan.Checkpointing, p.Plan.Checkpointing);
                Assert.Equal(c.Options.Optimizer ?? p.Plan.Optimizer, p.Plan.Optimizer);
                Assert.Equal(c.Options.Sequence ?? p.Plan.Sequence, p.Plan.Sequence);
                Assert.Equal(c.Options.Batch is null ? c.Options.EffectiveBatch : p.Plan.Batch * p.Plan.GradientAccumulation, p.Plan.Batch * p.Plan.GradientAccumulation);
            });
        }));

    [Fact]
    public void Where_nothing_fits_the_least_of_all_plans_is_missing_most()
    {
        (TrainingPlan Plan, long Peak) least = s_ranks.Value.Where(p => p.Plan.Rank == 1).MinBy(p => p.Peak);
        FitResult found = TrainingPlan.Fit(Stories260K_Lora.Tables, least.Peak - 17, FitObjective.LargestRank, s_device, s_options);
        Assert.False(found.Fits);
        Assert.Equal((17, "overhead"), (found.Missing, found.Smallest!.Cost.LargestTerm().Name));
        Assert.True(TrainingPlan.Fit(Stories260K_Lora.Tables, least.Peak, FitObjective.LargestRank, s_device, s_options).Fits);
        Assert.Equal(TrainingPlan.Fit(Llama3_8B_QLora.Tables, 1, FitObjective.Fastest, s_cpu).Smallest!.Cost.Peak - 1, TrainingPlan.Fit(Llama3_8B_QLora.Tables, 1, FitObjective.Fastest, s_cpu).Missing);
    }

    [Fact]
    public void With_memory_without_end_nothing_is_rebuilt_or_rounded()
    {
        FittedPlan best = TrainingPlan.Fit(Llama3_8B_QLora.Tables, long.MaxValue, FitObjective.Fastest, s_device).Best!;
        Assert.Equal((Checkpointing.None, Optimizer.AdamW, null), (best.Plan.Checkpointing, best.Plan.Optimizer, best.Plan.Storage));
        Assert.Equal(8192, TrainingPlan.Fit(Llama3_8B_QLora.Tables, long.MaxValue, FitObjective.LongestSequence, s_cpu).Best!.Plan.Sequence);
        Assert.Equal(1024, TrainingPlan.Fit(Llama3_8B_QLora.Tables, long.MaxValue, FitObjective.LargestRank, s_cpu).Best!.Plan.Rank);
    }

    /// <summary>A rank that every storage allows is no reason to quantize, nor a longer sequence to round moments.</summary>
    [Fact]
    public void What_is_declared_and_exact_stays_where_the_objective_gains_nothing()
    {
        foreach (FitObjective objective in new[] { FitObjective.LargestRank, FitObjective.LongestSequence })
        {
            FitOptions options = s_options with { Sequence = objective == FitObjective.LargestRank ? 64 : null };
            long least = TrainingPlan.Fit(
                Stories260K_Lora.Tables, long.MaxValue, objective, s_cpu, options with { Storage = WeightFormat.Compute, Optimizer = Optimizer.AdamW, Checkpointing = Checkpointing.Block, Batch = 1 }).Best!.Cost.Peak;
            TrainingPlan plan = TrainingPlan.Fit(Stories260K_Lora.Tables, least + (1 << 20), objective, s_cpu, options).Best!.Plan;
            Assert.Equal((null, Optimizer.AdamW), (plan.Storage, plan.Optimizer));
        }
    }

    /// <summary>Where the arena is host memory, paging to it is not tried; where it is not, it keeps exact moments that would not fit.</summary>
    [Fact]
    public void Moments_are_paged_only_where_the_host_has_other_memory()
    {
        FitOptions options = new() { Sequence = 512, Batch = 1, Checkpointing = Checkpointing.Block, Storage = WeightFormat.NF4(64, true) };
        long room = MemoryPlanner.Cost(Llama_65B_QLora.Tables, new TrainingPlan { Sequence = 512, Checkpointing = Checkpointing.Block, Optimizer = Optimizer.PagedAdamW }, s_cpu).Peak;
        Assert.False(TrainingPlan.Fit(Llama_65B_QLora.Tables, room, FitObjective.Fastest, s_cpu, options with { CheckpointEvery = 1 }).Fits);
        Assert.Equal(Optimizer.PagedAdamW, TrainingPlan.Fit(Llama_65B_QLora.Tables, room, FitObjective.Fastest, s_device, options).Best!.Plan.Optimizer);
    }

    /// <summary>The recipe that the found attributes make compiles within its budget and takes what was found.</summary>
    [Fact]
    public void The_attributes_fix_the_answer()
    {
        FitOptions options = new() { EffectiveBatch = 4, Sequence = 128, Batch = 2, Storage = WeightFormat.Int8(64), CheckpointEvery = 2 };
        FitResult found = StoriesLoraQueryKey.Fit(68_431_392, FitObjective.LargestRank, options, s_cpu);
        Assert.Equal(
            [
                "[Frozen(Storage.Int8, BlockSize = 64)]",
                "[Lora(Rank = 9, Alpha = 8, Targets = Projections.Query | Projections.Key)]",
                "[MemoryBudget(\"68431392 B\", Threads = 2, Batch = 2, Sequence = 128, Checkpointing = Checkpointing.Block, CheckpointEvery = 2, Optimizer = Optimizer.AdamW)]",
            ],
            found.Attributes);
        Assert.Equal(found.Best!.Cost, StoriesFitted.MemoryCost(found.Best.Plan with { Rank = null, Storage = null }, s_cpu));
    }

    /// <summary>Every method's line names its attribute, and an argument that the attribute has.</summary>
    [Fact]
    public void Each_method_has_its_attribute()
    {
        Gallery.Register();
        ModelTables[] recipes = [.. ModelRegistry.All.Select(e => e.Tables).Where(t => t.Slots.Length > 0)];
        Assert.True(recipes.SelectMany(t => t.Slots).Select(s => s.Method).Distinct().Count() > 5);
        foreach (ModelTables tables in recipes)
        {
            FitResult found = TrainingPlan.Fit(tables, long.MaxValue, FitObjective.LargestRank, s_cpu, new() { Sequence = 8, EffectiveBatch = 1 });
            string[] lines = [.. found.Attributes.Where(a => a.Contains("Rank = ", StringComparison.Ordinal))];
            Assert.True(lines.Length >= tables.Slots.Select(s => s.Method).Distinct().Count());
            Assert.All(lines, line =>
            {
                Type? attribute = typeof(LoraAttribute).Assembly.GetType($"ModelCompiler.{line[1..line.IndexOf('(')]}Attribute");
                Assert.NotNull(attribute);
                Assert.All(Regex.Matches(line, @"(\w+) ="), argument => Assert.NotNull(attribute.GetProperty(argument.Groups[1].Value)));
            });
        }

        string[] Lines(string recipe) => [.. TrainingPlan.Fit(recipes.Single(t => t.Name == recipe), long.MaxValue, FitObjective.LargestRank, s_cpu, new() { Sequence = 8, Rank = 7 }).Attributes];
        Assert.Equal("[AdaLora(InitialRank = 7, Alpha = 384, Rank = 5, Interval = 2)]", Lines(nameof(Stories260K_AdaLora))[0]);
        Assert.Contains("[L1ra(Rank = 7, Alpha = 16, MaximumRank = 16, GateRate = 0.05, Lambda = 0.1, OptimizerOnReassign = OptimizerOnReassign.Splice)]", Lines(nameof(Stories260K_L1ra))[0], StringComparison.Ordinal);
    }

    [Fact]
    public void Rates_are_measured_with_the_backend()
    {
        using var backend = new CpuBackend(1);
        DeviceRates rates = RateMeasurement.Run(backend);
        Assert.InRange(rates.FlopsPerSecond, 1e8, 1e13);
        Assert.InRange(rates.BytesPerSecond, 1e8, 1e13);
    }

    private static void Holds((TrainingPlan Plan, long Peak)[] grid, FitObjective objective, FitOptions options, BackendProfile profile, Func<TrainingPlan, double> value)
    {
        (long least, long most) = (grid.Min(p => p.Peak), grid.Max(p => p.Peak));
        double[] values = [.. grid.Select(p => value(p.Plan))];
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(60), Prop.ForAll(Gen.Choose(-20, 1020).ToArbitrary(), part =>
        {
            long budget = least + (most - least) * part / 1000;
            FitResult found = TrainingPlan.Fit(Stories260K_Lora.Tables, budget, objective, profile, options);
            int[] fitting = [.. Enumerable.Range(0, grid.Length).Where(i => grid[i].Peak <= budget)];
            return fitting.Length == 0
                ? !found.Fits && found.Missing == least - budget
                : found.Fits && value(found.Best!.Plan) == fitting.Max(i => values[i]);
        }));
    }

    private static double Value(FitObjective objective, FittedPlan plan) => objective switch
    {
        FitObjective.LargestRank => plan.Plan.Rank!.Value,
        FitObjective.LongestSequence => plan.Plan.Sequence,
        _ => plan.TokensPerSecond,
    };

    /// <summary>The speed of one plan: what a search says that may choose nothing.</summary>
    private static double Speed(TrainingPlan plan) => TrainingPlan.Fit(Stories260K_Lora.Tables, long.MaxValue, FitObjective.Fastest, s_device, new FitOptions
    {
        Template = plan,
        Batch = plan.Batch,
        GradientAccumulation = plan.GradientAccumulation,
        Checkpointing = plan.Checkpointing,
        CheckpointEvery = plan.CheckpointEvery,
        Optimizer = plan.Optimizer,
        Storage = plan.Storage ?? WeightFormat.Compute,
    }).Best!.TokensPerSecond;

    private static (TrainingPlan, long)[] Grid(IEnumerable<TrainingPlan> plans, Optimizer[] optimizers, WeightFormat?[] storages) =>
    [
        .. from plan in plans
           from policy in s_policies
           from batch in s_batches
           from optimizer in optimizers
           from storage in storages
           let whole = plan with
           {
               Checkpointing = policy.Policy,
               CheckpointEvery = policy.Every,
               Batch = batch.Batch,
               GradientAccumulation = batch.GradientAccumulation,
               Optimizer = optimizer,
               Storage = storage,
           }
           select (whole, MemoryPlanner.Train(Stories260K_Lora.Tables, whole, s_cpu).Cost.Peak),
    ];

    private static Gen<Case> Cases() =>
        from tables in Gen.Elements(
            Stories260K_Lora.Tables, Stories260K_L1ra.Tables, Stories260K_QLora.Tables, Stories260K_LamdaPlusPlus.Tables, Stories260K_Dora.Tables,
            Llama3_8B_QLora.Tables, Falcon_40B_QDyLora.Tables)
        from budget in Gen.Choose(0, 1000)
        from more in Gen.Choose(0, 300)
        from batch in Gen.Elements<int?>(null, null, 1, 3)
        from step in Gen.Choose(1, 6)
        from sequence in Gen.Elements<int?>(null, null, 7, 128)
        from policy in Gen.Elements<Checkpointing?>(null, null, Checkpointing.None, Checkpointing.Block)
        from optimizer in Gen.Elements<Optimizer?>(null, null, Optimizer.AdamW8Bit, Optimizer.PagedAdamW)
        from host in Gen.Elements(true, false)
        select new Case(
            tables,
            (long)(1e6 * Math.Exp(budget / 1000.0 * Math.Log(tables.Layers > 5 ? 2e5 : 400))),
            1 + (long)(1e5 * Math.Exp(more / 300.0 * Math.Log(1e6))),
            s_cpu with { IsHostMemory = host },
            new FitOptions { Batch = batch, EffectiveBatch = step, Sequence = sequence, Checkpointing = policy, Optimizer = optimizer });

    private sealed record Case(ModelTables Tables, long Budget, long More, BackendProfile Profile, FitOptions Options);
}

/// <summary>Adapters on two projections.</summary>
[FineTune<Stories260K>]
[Lora(Rank = 4, Alpha = 8, Targets = Projections.Query | Projections.Key)]
public partial class StoriesLoraQueryKey;

/// <summary>The same with what a search for the largest rank in 68,431,392 bytes printed.</summary>
[FineTune<Stories260K>]
[Frozen(Storage.Int8, BlockSize = 64)]
[Lora(Rank = 9, Alpha = 8, Targets = Projections.Query | Projections.Key)]
[MemoryBudget("68431392 B", Threads = 2, Batch = 2, Sequence = 128, Checkpointing = Checkpointing.Block, CheckpointEvery = 2, Optimizer = Optimizer.AdamW)]
public partial class StoriesFitted;
