using ModelCompiler.Adapters;
using ModelCompiler.Backends.Cpu;
using ModelCompiler.HuggingFace.Checkpoints;
using ModelCompiler.HuggingFace.Weights;
using ModelCompiler.Models;
using ModelCompiler.Planning;
using ModelCompiler.Safetensors;
using ModelCompiler.Tests.Files;
using ModelCompiler.Tests.Models;

namespace ModelCompiler.Tests.Ranks;

/// <summary>Ranks from the weights of a base whose singular values are known: every projection is diagonal, of powers of a number.</summary>
public sealed class RankChoiceTests : IDisposable
{
    private static readonly ModelTables s_tables = Stories260K_LamdaPlusPlus.Tables;
    private readonly TemporaryFolder _folder = new();
    private readonly List<string> _notes = [];

    public RankChoiceTests()
    {
        using Stories260K model = Model.ForTraining<Stories260K>(new TrainingPlan { Sequence = 8 }, new CpuBackend(1));
        Initialization.All(model, seed: 5);
        foreach ((AdapterSlot slot, int layer) in s_tables.Slots.SelectMany(s => s_tables.LayersOf(s).Select(layer => (s, layer))))
        {
            Parameter weight = model.Named(slot.PathIn(layer) + ".Weight");
            var values = new float[weight.Value.Count];
            for (int i = 0; i < Math.Min(weight.Value.Rows, weight.Value.Columns); i++)
            {
                // Neither signs nor the order along the diagonal matter.
                int row = weight.Value.Rows - 1 - i;
                values[row * weight.Value.Columns + i] = (float)((i % 2 == 0 ? 1 : -1) * Math.Pow(Factor(slot, layer), i));
            }

            model.Backend.Write(weight.Value, values);
        }

        BaseWeights.Save(model, Base);
    }

    private string Base => _folder.File("base");

    private string Cache => _folder.File("cache");

    [Fact]
    public void Ranks_follow_the_known_spectra()
    {
        RankPattern ranks = Choose()!;
        for (int slot = 0; slot < s_tables.Slots.Length; slot++)
        {
            int side = s_tables.Slots[slot].MaximumRank;
            double[] shares = [.. Enumerable.Range(0, 5).Select(layer => Math.Pow(Factor(s_tables.Slots[slot], layer), 2)).Select(q => (1 - Math.Pow(q, 16)) / (1 - Math.Pow(q, side)))];
            int[] expected = LamdaPlusPlusRanks.Allocate(shares, 16, side, rank => s_tables.AdapterParameters(slot, rank));
            Assert.Equal(expected, Enumerable.Range(0, 5).Select(layer => ranks[slot, layer]));
            Assert.InRange(expected.Distinct().Count(), 3, 4);
        }

        // Query's factors are 0.88, 0.94, 0.9, 0.96, 0.92 from layer 0 to 4, the larger the flatter, and its adapters have r² + 64 r parameters.
        Assert.Equal([8, 17, 8, 28, 16], Enumerable.Range(0, 5).Select(layer => ranks[0, layer]));
        long chosen = s_tables.ParameterCount(trainable: true, ranks: ranks);
        Assert.InRange(chosen, 0.99 * s_tables.ParameterCount(trainable: true, rank: 16), s_tables.ParameterCount(trainable: true, rank: 16));
    }

    [Fact]
    public void A_rank_of_the_plan_is_shared_out_in_the_place_of_the_declared_one()
    {
        RankPattern ranks = Choose(rank: 8)!;
        Assert.All(Enumerable.Range(0, 5), layer => Assert.InRange(ranks[0, layer], 4, 16));
        Assert.InRange(s_tables.ParameterCount(trainable: true, ranks: ranks), 1, s_tables.ParameterCount(trainable: true, rank: 8));
        Assert.Contains("rank 33 of Attention.Key must be from 1 to 32", Assert.Throws<ArgumentException>(() => Choose(rank: 33)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Methods_that_do_not_choose_have_none()
    {
        Assert.Null(PretrainedWeights.ChooseRanks(Stories260K_Lora.Tables, Base));
        Assert.Equal(0, RankChoice.Count(Stories260K_Lamda.Tables));
        Assert.Equal(35, RankChoice.Count(s_tables));
    }

    [Fact]
    public void Beside_other_methods_and_on_some_layers_only_theirs_are_chosen()
    {
        RankPattern ranks = PretrainedWeights.ChooseRanks(StoriesLamdaPlusPlus.Tables, Base, new RankChoiceOptions { CacheFolder = Cache })!;
        ModelTables tables = StoriesLamdaPlusPlus.Tables;
        for (int slot = 0; slot < tables.Slots.Length; slot++)
        {
            int[] own = [.. tables.LayersOf(tables.Slots[slot]).Select(layer => ranks[slot, layer])];
            int[] expected = tables.Slots[slot] switch
            {
                { Method: "LoRA" } => [3, 3, 3, 3, 3],

                // The tied head's weight is the embedding, and one adapter alone has the whole budget.
                { Path: "Head" } => [4],

                // Layers 2 to 4: none is a quarter, one is half, and the flattest has what is left.
                _ => own,
            };
            Assert.Equal(expected, own);
            Assert.True(tables.Slots[slot].Layers is null || own.Length == 3 && own.Distinct().Count() == 3);
        }
    }

    [Fact]
    public void Four_bits_and_sixteen_have_ranks_too()
    {
        using var model = Model.ForTraining<Stories260K_QLora>(new TrainingPlan { Sequence = 8 }, new CpuBackend(1));
        BaseWeights.Load(model, Base);
        BaseWeights.SaveQuantized(model, _folder.File("nf4"));
        Assert.Equal(Choose(), PretrainedWeights.ChooseRanks(s_tables, _folder.File("nf4"), new RankChoiceOptions { Rank = 16, CacheFolder = Cache }));

        using var full = Model.ForTraining<Stories260K>(new TrainingPlan { Sequence = 8 }, new CpuBackend(1));
        BaseWeights.Load(full, Base);
        BaseWeights.Save(full, _folder.File("bf16"), SafetensorsType.BF16);
        Assert.Equal(Choose(), PretrainedWeights.ChooseRanks(s_tables, _folder.File("bf16"), new RankChoiceOptions { Rank = 16, CacheFolder = Cache }));
    }

    [Fact]
    public void Spectra_are_found_once()
    {
        var names = new List<string>();
        RankPattern? first = PretrainedWeights.ChooseRanks(s_tables, Base, new RankChoiceOptions { Rank = 16, CacheFolder = Cache, Progress = Count });
        Assert.Equal(35, names.Distinct().Count());
        string[] files = Files();
        Assert.Equal(35, files.Length);
        DateTime[] written = [.. files.Select(File.GetLastWriteTimeUtc)];
        Assert.Equal(first, Choose());
        Choose(rank: 8);
        Assert.Equal(written, Files().Select(File.GetLastWriteTimeUtc));

        // More singular values than were kept are found again, and more are kept.
        Choose(rank: 17);
        Assert.Equal(35, Files().Length);
        Assert.NotEqual(written, Files().Select(File.GetLastWriteTimeUtc));
        Assert.Empty(_notes);

        void Count(int done, string name)
        {
            names.Add(name);
            Assert.Equal(names.Count, done);
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("{}")]
    [InlineData("{\"energy\": 1, \"squares\": 3, \"checksum\": \"0\"}")]
    [InlineData(null)]
    public void A_damaged_file_is_said_and_made_again(string? content)
    {
        RankPattern? expected = Choose();
        string file = Files()[7];
        byte[] whole = File.ReadAllBytes(file);
        byte[] damaged = [.. whole];
        int digit = Array.FindIndex(damaged, damaged.Length / 2, b => b is >= (byte)'1' and < (byte)'9');
        damaged[digit]++;
        File.WriteAllBytes(file, content is null ? damaged : System.Text.Encoding.UTF8.GetBytes(content));
        Assert.Equal(expected, Choose());
        Assert.Contains($"{file} is damaged and is made again", Assert.Single(_notes), StringComparison.Ordinal);
        Assert.Equal(whole, File.ReadAllBytes(file));
    }

    [Fact]
    public void The_file_of_another_weight_is_not_believed()
    {
        RankPattern? expected = Choose();
        string[] sizes = [.. Files().GroupBy(f => f[f.LastIndexOf('-')..]).First(g => g.Count() > 1)];
        File.Copy(sizes[0], sizes[1], overwrite: true);
        Assert.Equal(expected, Choose());
        Assert.Contains("energy is another", Assert.Single(_notes), StringComparison.Ordinal);
    }

    [Fact]
    public void A_folder_that_cannot_be_written_is_said_once_and_costs_nothing_else()
    {
        RankPattern? expected = Choose();
        File.WriteAllText(_folder.File("file"), "");
        Assert.Equal(expected, Choose(cache: _folder.File("file")));
        Assert.Contains("not kept for the next time", Assert.Single(_notes), StringComparison.Ordinal);
    }

    [Fact]
    public void A_base_of_another_model_is_named()
    {
        Assert.Contains("config.json", Refusal(s_tables with { Configuration = [new ConfigEntry("hidden_size", "65", null)] }, Base), StringComparison.Ordinal);
        ModelTables wider = s_tables with { Parameters = [.. s_tables.Parameters.Select(p => p.Path == "Attention.Query.Weight" ? p with { Rows = new Dim(96) } : p)] };
        Assert.Contains("'model.layers.0.self_attn.q_proj.weight' is [64, 64], Stories260K needs [96, 64]", Refusal(wider, Path.Combine(Base, Checkpoint.FileName)), StringComparison.Ordinal);
        Assert.Contains("absent", Refusal(s_tables, _folder.File("absent")), StringComparison.Ordinal);
        using var cancelled = new CancellationTokenSource();
        cancelled.Cancel();
        Assert.Throws<OperationCanceledException>(() => PretrainedWeights.ChooseRanks(s_tables, Base, new RankChoiceOptions { CacheFolder = Cache, Cancellation = cancelled.Token }));

        string Refusal(ModelTables tables, string path) => Assert.Throws<CheckpointException>(() => PretrainedWeights.ChooseRanks(tables, path, new RankChoiceOptions { Rank = 16, CacheFolder = Cache })).Message;
    }

    public void Dispose() => _folder.Dispose();

    private static double Factor(AdapterSlot slot, int layer)
    {
        int index = Array.FindIndex(s_tables.Slots, s => s.Path == slot.Path);
        return 0.88 + 0.02 * ((3 * layer + index) % 5) + 0.0001 * index;
    }

    private RankPattern? Choose(int? rank = 16, string? cache = null) =>
        PretrainedWeights.ChooseRanks(s_tables, Base, new RankChoiceOptions { Rank = rank, CacheFolder = cache ?? Cache, Note = _notes.Add });

    private string[] Files() => [.. Directory.EnumerateFiles(Cache).Order(StringComparer.Ordinal)];
}
