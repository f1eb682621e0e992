using ModelCompiler.Adapters;
using ModelCompiler.Backends;
using ModelCompiler.Backends.Cpu;
using ModelCompiler.HuggingFace.Peft;
using ModelCompiler.HuggingFace.Weights;
using ModelCompiler.Models;
using ModelCompiler.Planning;
using ModelCompiler.Testing.Reference;
using ModelCompiler.Tests.Files;
using ModelCompiler.Tests.Models;
using ModelCompiler.Tests.Training;
using ModelCompiler.Training;

namespace ModelCompiler.Tests.Adapters;

/// <summary>LaMDA at chosen ranks: what it starts from, trains, saves and takes. What it computes is LaMDA's.</summary>
public class LamdaPlusPlusTests
{
    private static readonly int[] s_tokens = [1, 40, 300, 7, 511, 22];

    [Fact]
    public void Chosen_ranks_are_those_of_the_adapters_and_start_at_the_base()
    {
        using var folder = new TemporaryFolder();
        RankPattern ranks = Ranks(folder);
        using var model = Model.ForGeneration<StoriesLamdaPlusPlus>(16, backend: new ReferenceBackend(), ranks: ranks);
        Initialization.All(model, seed: 5);
        Assert.All(model.Adapters, a => Assert.Equal(ranks[a.Index, a.Layer], a.Rank));
        Assert.Equal(3, model.Adapters.Where(a => a.Slot.Path == "Attention.Query").Select(a => a.Rank).Distinct().Count());
        Assert.All(model.Adapters.OfType<LamdaAdapter>(), a => Assert.Equal((a.Layer < 0 ? 4f : 12f) / a.Rank, a.Scale));

        using var bare = Model.ForGeneration<Stories260K>(16, backend: new ReferenceBackend());
        Initialization.All(bare, seed: 5);
        Assert.All(Logits(bare).Zip(Logits(model)), pair => Assert.Equal(pair.First, pair.Second, 1e-12));
    }

    [Fact]
    public void What_is_allocated_is_what_was_predicted_and_uniform_ranks_bound_what_is_trained_and_saved()
    {
        using var folder = new TemporaryFolder();
        TrainingPlan uniform = SmallRun.Plan();
        TrainingPlan chosen = uniform with { Ranks = Ranks(folder) };
        MemoryCost cost = StoriesLamdaPlusPlus.MemoryCost(chosen, BackendProfile.Cpu(2));
        using var model = Model.ForTraining<StoriesLamdaPlusPlus>(chosen, new CpuBackend(2));
        Assert.Equal(cost, model.Plan.Cost);
        Assert.Equal(cost.Allocated, model.Backend.AllocatedBytes);
        long trainable = StoriesLamdaPlusPlus.Tables.ParameterCount(trainable: true, ranks: chosen.Ranks);
        Assert.Equal(trainable, model.Trainable.Sum(p => p.Value.Count));
        Assert.InRange(trainable, 1, StoriesLamdaPlusPlus.Tables.ParameterCount(trainable: true));
        Assert.True(chosen.Ranks!.Total <= StoriesLamdaPlusPlus.Tables.Slots.Sum(s => s.Rank * StoriesLamdaPlusPlus.Tables.LayersOf(s).Length));
    }

    [Fact]
    public void Saved_ranks_are_read_back_and_the_folded_adapter_is_the_same_function()
    {
        using var folder = new TemporaryFolder();
        using Stories260K_LamdaPlusPlus trained = Create<Stories260K_LamdaPlusPlus>(Ranks(folder, Stories260K_LamdaPlusPlus.Tables));
        new Trainer(trained, SmallRun.Data, SmallRun.Options).Run();
        AdapterFiles.Save(trained, folder.File("adapter"));
        BaseWeights.Save(trained, folder.File("base"));
        MergedWeights.Save(trained, folder.File("merged"));

        RankPattern saved = AdapterFiles.Ranks(Stories260K_LamdaPlusPlus.Tables, folder.File("adapter"))!;
        Assert.Equal(trained.Plan.Sizes.Pattern, saved);
        using var native = Model.ForGeneration<Stories260K_LamdaPlusPlus>(16, backend: new ReferenceBackend(), ranks: saved);
        BaseWeights.Load(native, folder.File("base"));
        Initialization.Adapters(native, seed: 99);
        double[] untrained = Logits(native);
        AdapterFiles.Load(native, folder.File("adapter"));
        using var merged = Model.ForGeneration<Stories260K>(16, backend: new ReferenceBackend());
        BaseWeights.Load(merged, folder.File("merged"));
        Assert.All(Logits(native).Zip(Logits(merged)), pair => Assert.Equal(pair.First, pair.Second, 1e-5));
        Assert.True(untrained.Zip(Logits(native)).Max(pair => Math.Abs(pair.First - pair.Second)) > 1e-3);
    }

    [Fact]
    public void A_resumed_run_has_the_bits_of_an_uninterrupted_one_and_other_ranks_are_refused()
    {
        using var folder = new TemporaryFolder();
        RankPattern ranks = Ranks(folder);
        using StoriesLamdaPlusPlus uninterrupted = Create(ranks);
        new Trainer(uninterrupted, SmallRun.Data, SmallRun.Options).Run();
        TrainingOptions options = SmallRun.Options with { OutputFolder = folder.Path };
        using (StoriesLamdaPlusPlus stopped = Create(ranks))
        {
            using var stop = new CancellationTokenSource();
            new Trainer(stopped, SmallRun.Data, options).Run(
                m =>
                {
                    if (m.Step == 5)
                    {
                        stop.Cancel();
                    }
                },
                stop.Token);
        }

        using StoriesLamdaPlusPlus resumed = Create(ranks);
        new Trainer(resumed, SmallRun.Data, options with { Resume = true }).Run();
        Assert.Equal(SmallRun.State(uninterrupted), SmallRun.State(resumed));

        Assert.Contains("ranks was '", Refusal(new RankPattern(StoriesLamdaPlusPlus.Tables, (slot, layer) => layer == 3 ? 2 : ranks[slot, layer])), StringComparison.Ordinal);
        Assert.Contains($"ranks was '{ranks}', now 'not said'", Refusal(null), StringComparison.Ordinal);

        string Refusal(RankPattern? other)
        {
            using StoriesLamdaPlusPlus model = Create(other);
            return Assert.Throws<TrainingException>(() => new Trainer(model, SmallRun.Data, options with { Resume = true })).Message;
        }
    }

    private static StoriesLamdaPlusPlus Create(RankPattern? ranks) => Create<StoriesLamdaPlusPlus>(ranks);

    private static T Create<T>(RankPattern? ranks)
        where T : TransformerModel, IModel<T>
    {
        T model = Model.ForTraining<T>(SmallRun.Plan() with { Ranks = ranks }, new CpuBackend(1));
        Initialization.All(model, seed: 5);
        return model;
    }

    /// <summary>The ranks that the weights of <see cref="SmallRun"/> lead to.</summary>
    private static RankPattern Ranks(TemporaryFolder folder, ModelTables? tables = null)
    {
        using var model = Model.ForTraining<Stories260K>(SmallRun.Plan(), new CpuBackend(1));
        Initialization.All(model, seed: 5);
        BaseWeights.Save(model, folder.File("start"));
        return PretrainedWeights.ChooseRanks(tables ?? StoriesLamdaPlusPlus.Tables, folder.File("start"), new RankChoiceOptions { CacheFolder = folder.File("cache") })!;
    }

    private static double[] Logits(TransformerModel model) => [.. model.LogitsOf(s_tokens).SelectMany(row => row)];
}
