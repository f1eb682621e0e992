using ModelCompiler.Adapters;
using ModelCompiler.HuggingFace.Peft;
using ModelCompiler.Models;
using ModelCompiler.Planning;
using ModelCompiler.Tests.Files;
using ModelCompiler.Tests.Models;
using ModelCompiler.Tests.Training;

namespace ModelCompiler.Tests.Adapters;

/// <summary>A model whose adapters have ranks of their own, against one of uniform rank whose directions beyond them are zero.</summary>
public class RankPatternTests
{
    private const int Uniform = 8;

    public static RankPattern Ranks { get; } = new(Stories260K_Lora.Tables, (slot, layer) => 1 + (slot * 5 + layer * 3) % Uniform);

    [Theory]
    [InlineData("reference", Checkpointing.Selective, 1e-12)]
    [InlineData("reference", Checkpointing.None, 1e-12)]
    [InlineData("cpu-1", Checkpointing.Selective, 1e-5)]
    [InlineData("cpu-2", Checkpointing.None, 1e-5)]
    public void Loss_and_gradients_are_those_of_a_uniform_rank_padded_with_zeros(string backend, Checkpointing checkpointing, double tolerance)
    {
        TrainingPlan plan = SmallRun.Plan() with { Checkpointing = checkpointing };
        using var own = Model.ForTraining<Stories260K_Lora>(plan with { Ranks = Ranks }, ModelBackends.Create(backend));
        using var padded = Model.ForTraining<Stories260K_Lora>(plan with { Rank = Uniform }, ModelBackends.Create(backend));
        Initialization.All(own, seed: 5);
        Initialization.All(padded, seed: 5);
        foreach ((LoraAdapter from, LoraAdapter to) in Pairs(own, padded))
        {
            int rank = Ranks[from.Index, from.Layer];
            Assert.Equal(rank, from.Rank);
            float[] a = Wave(from.A.Value.Count, 0.05);
            float[] b = Wave(from.B.Value.Count, 0.03);
            own.Backend.Write(from.A.Value, a);
            own.Backend.Write(from.B.Value, b);
            var wideA = new float[Uniform * to.Inputs];
            var wideB = new float[to.Outputs * Uniform];
            a.CopyTo(wideA, 0);
            for (int row = 0; row < to.Outputs; row++)
            {
                for (int r = 0; r < rank; r++)
                {
                    // The scale alpha / rank is another.
                    wideB[row * Uniform + r] = b[row * rank + r] * Uniform / rank;
                }
            }

            padded.Backend.Write(to.A.Value, wideA);
            padded.Backend.Write(to.B.Value, wideB);
        }

        double expected = SmallRun.Gradients(padded);
        Assert.Equal(expected, SmallRun.Gradients(own), Math.Abs(expected) * Math.Max(tolerance, 1e-7));
        foreach ((LoraAdapter from, LoraAdapter to) in Pairs(own, padded))
        {
            int rank = from.Rank;
            double[] wide = [.. padded.Values(to.B.Gradient).Where((_, i) => i % Uniform < rank).Select(g => g * Uniform / rank)];
            AssertClose(padded.Values(to.A.Gradient)[..(rank * to.Inputs)], own.Values(from.A.Gradient), Math.Max(tolerance, 1e-6));
            AssertClose(wide, own.Values(from.B.Gradient), Math.Max(tolerance, 1e-6));
        }
    }

    [Fact]
    public void What_is_allocated_is_what_was_predicted()
    {
        TrainingPlan plan = SmallRun.Plan() with { Ranks = Ranks };
        MemoryCost cost = Stories260K_Lora.MemoryCost(plan, BackendProfile.Cpu(2));
        using var model = Model.ForTraining<Stories260K_Lora>(plan, ModelBackends.Create("cpu-2"));
        Assert.Equal(cost, model.Plan.Cost);
        Assert.Equal(Stories260K_Lora.Tables.ParameterCount(trainable: true, ranks: Ranks), model.Trainable.Sum(p => p.Value.Count));
        Assert.InRange(cost.Allocated, Stories260K_Lora.MemoryCost(plan with { Ranks = null, Rank = 1 }, BackendProfile.Cpu(2)).Allocated + 1, Stories260K_Lora.MemoryCost(plan with { Ranks = null, Rank = Uniform }, BackendProfile.Cpu(2)).Allocated - 1);
    }

    [Fact]
    public void Saved_ranks_are_a_rank_pattern_and_load_again()
    {
        using var folder = new TemporaryFolder();
        TrainingPlan plan = SmallRun.Plan() with { Ranks = Ranks };
        using var model = Model.ForTraining<Stories260K_Lora>(plan, ModelBackends.Create("cpu-1"));
        Initialization.All(model, seed: 5);
        AdapterFiles.Save(model, folder.Path);
        PeftConfig config = PeftConfigJson.Read(Path.Combine(folder.Path, PeftAdapter.ConfigName));
        Assert.All(model.Adapters, a => Assert.Equal(a.Rank, config.RankOf(model.ModuleOf(a))));
        Assert.All(model.Adapters, a => Assert.Equal(a.Scale, config.ScaleOf(model.ModuleOf(a)), 1e-6));

        ModelTables adaptive = Stories260K_Lora.Tables with
        {
            Slots = [.. Stories260K_Lora.Tables.Slots.Select(s => s with { Options = new LamdaPlusPlusOptions { Rank = s.Rank, Alpha = s.Alpha } })],
        };
        Assert.Equal(Ranks, AdapterFiles.Ranks(adaptive, folder.Path));
        Assert.Null(AdapterFiles.Ranks(Stories260K_Lora.Tables, folder.Path));

        using var loaded = Model.ForTraining<Stories260K_Lora>(plan, ModelBackends.Create("cpu-1"));
        Initialization.All(loaded, seed: 6);
        AdapterFiles.Load(loaded, folder.Path);
        Assert.All(model.Trainable.Zip(loaded.Trainable), p => Assert.Equal(model.Read(p.First), loaded.Read(p.Second)));
    }

    [Fact]
    public void Ranks_that_do_not_fit_are_named()
    {
        var tooHigh = new RankPattern(Stories260K_Lora.Tables, (slot, layer) => slot == 1 && layer == 2 ? 33 : 2);
        Assert.Contains("rank 33 of Attention.Key", Refusal(new TrainingPlan { Ranks = tooHigh }), StringComparison.Ordinal);
        Assert.Contains("not those of the adapters", Refusal(new TrainingPlan { Ranks = new RankPattern(Llama2_7B_Lora.Tables, (_, _) => 1) }), StringComparison.Ordinal);

        static string Refusal(TrainingPlan plan) => Assert.Throws<ArgumentException>(() => plan.SizesFor(Stories260K_Lora.Tables)).Message;
    }

    private static IEnumerable<(LoraAdapter, LoraAdapter)> Pairs(TransformerModel a, TransformerModel b) =>
        a.Adapters.Cast<LoraAdapter>().Zip(b.Adapters.Cast<LoraAdapter>());

    private static void AssertClose(double[] expected, double[] actual, double tolerance)
    {
        Assert.Equal(expected.Length, actual.Length);
        double largest = expected.Max(Math.Abs);
        Assert.True(largest > 1e-6);
        Assert.All(expected.Zip(actual), v => Assert.Equal(v.First, v.Second, tolerance * largest));
    }

    private static float[] Wave(long count, double amplitude) => [.. Enumerable.Range(0, (int)count).Select(i => (float)(amplitude * Math.Sin(1 + 0.7 * i)))];
}
