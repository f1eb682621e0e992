using ModelCompiler.Adapters;
using ModelCompiler.HuggingFace.Peft;
using ModelCompiler.HuggingFace.Weights;
using ModelCompiler.Models;
using ModelCompiler.Planning;
using ModelCompiler.Tensors;
using ModelCompiler.Tests.Files;
using ModelCompiler.Tests.Models;
using ModelCompiler.Tests.Training;
using ModelCompiler.Training;

namespace ModelCompiler.Tests.Adapters;

/// <summary>QA-LoRA at run time: start values, export to LoRA, the merge into zero points, files and resumed runs.</summary>
public class QaLoraTests
{
    private static readonly int[] Tokens = [1, 40, 300, 7];

    [Fact]
    public void It_starts_as_the_authors_have_it_and_adds_nothing()
    {
        using var model = Create<StoriesQaLora>();
        Initialization.Adapters(model, seed: 7);

        QaLoraAdapter[] down = [.. model.Layers.Select(l => l.FeedForward.Down.Adapter)];
        double bound = Math.Sqrt(6.0 / (4 + 3));
        double[] a = [.. down.SelectMany(d => model.Values(d.A.Value))];
        Assert.All(a, v => Assert.InRange(v, -bound, bound));
        Assert.Equal(bound / Math.Sqrt(3), Math.Sqrt(a.Average(v => v * v)), bound / 8);
        Assert.All(model.Adapters.Cast<QaLoraAdapter>(), q => Assert.All(model.Values(q.B.Value), v => Assert.Equal(0, v)));
        Assert.Equal((3, 4, 43, 172, 64), (down[0].A.Value.Rows, down[0].A.Value.Columns, down[0].GroupSize, down[0].Inputs, down[0].Outputs));
        Assert.Equal(64, model.Layers[2].Attention.Key.Adapter.GroupSize);
    }

    /// <summary>Of every adapter: W x + s B (A p), p written out as sums over groups, against the folded matrices times x.</summary>
    [Fact]
    public void Folded_matrices_compute_what_the_means_do()
    {
        using var model = Create<StoriesQaLora>();
        foreach (QaLoraAdapter adapter in model.Adapters.Cast<QaLoraAdapter>())
        {
            double[] x = Random(adapter.Inputs, model.ModuleOf(adapter));
            double[] expected = Added(model, adapter, x);
            LowRankFactors folded = adapter.ToLora(model);
            double[] actual = Times(folded.B, adapter.Rank, Times(folded.A, adapter.Inputs, x)).Select(v => v * adapter.Scale).ToArray();
            AssertClose(expected, actual, 1e-6);
        }
    }

    [Theory]
    [MemberData(nameof(ModelBackends.Names), MemberType = typeof(ModelBackends))]
    public void An_export_to_lora_computes_the_same(string backend)
    {
        using var folder = new TemporaryFolder();
        using var pooled = Create<StoriesQaLoraInt4>(backend);
        AdapterFiles.Save(pooled, folder.Path);
        using var folded = Create<StoriesQaLoraFolded>(backend);

        AdapterFiles.Load(folded, folder.Path);

        double[] expected = pooled.LogitsOf(Tokens)[^1];
        AssertClose(expected, folded.LogitsOf(Tokens)[^1], backend == "reference" ? 1e-7 : 1e-5);
        SetB(pooled, _ => 0);
        Assert.True(expected.Zip(pooled.LogitsOf(Tokens)[^1]).Max(pair => Math.Abs(pair.First - pair.Second)) > 1e-3);
    }

    /// <summary>Of every adapter: W x + s B (A p) with the weights before, against W' x with those after; codes and scales are the same bytes.</summary>
    [Fact]
    public void A_merge_moves_the_zero_points_and_nothing_else()
    {
        using var model = Create<StoriesQaLoraInt4>();
        var before = model.Adapters.Cast<QaLoraAdapter>().ToDictionary(a => a, a =>
        {
            Tensor weight = Weight(model, a);
            double[] x = Random(a.Inputs, model.ModuleOf(a));
            double[] base_ = Times(model.Values(weight), a.Inputs, x);
            return (Bytes: Bytes(model, weight), X: x, Base: base_, Y: base_.Zip(Added(model, a, x), (w, d) => w + d).ToArray());
        });

        ZeroPointMerge.Apply(model);

        foreach ((QaLoraAdapter adapter, var old) in before)
        {
            Tensor weight = Weight(model, adapter);
            double[] actual = Times(model.Values(weight), adapter.Inputs, old.X);
            AssertClose(old.Y, actual, 1e-5);
            Assert.True(old.Base.Zip(actual).Max(pair => Math.Abs(pair.First - pair.Second)) > 1e-2 * old.Base.Max(Math.Abs), adapter.Path);
            Assert.All(model.Values(adapter.B.Value), v => Assert.Equal(0, v));
            int zeros = (int)StorageLayout.Of(weight.Type, weight.Rows, weight.Columns).Zeros;
            byte[] bytes = Bytes(model, weight);
            Assert.Equal(old.Bytes[..zeros], bytes[..zeros]);
            Assert.NotEqual(old.Bytes, bytes);
        }
    }

    [Theory]
    [MemberData(nameof(ModelBackends.Names), MemberType = typeof(ModelBackends))]
    public void The_merged_model_computes_what_base_and_adapters_do(string backend)
    {
        using var model = Create<StoriesQaLoraInt4>(backend);
        double[] expected = model.LogitsOf(Tokens)[^1];
        ZeroPointMerge.Apply(model);
        AssertClose(expected, model.LogitsOf(Tokens)[^1], 1e-5);
    }

    [Fact]
    public void A_trained_model_has_the_same_loss_after_its_merge()
    {
        using StoriesQaLoraInt4 model = SmallRun.CreateModel<StoriesQaLoraInt4>();
        double untrained = Loss();
        new Trainer(model, SmallRun.Data, SmallRun.Options).Run();
        double trained = Loss();
        Assert.True(trained < untrained - 0.01, $"{untrained} to {trained}");

        ZeroPointMerge.Apply(model);

        Assert.Equal(trained, Loss(), 1e-5);
        Initialization.Adapters(model, seed: 8);
        Assert.Equal(trained, Loss(), 1e-5);

        double Loss() => new Evaluator(model, SmallRun.HeldOut).Evaluate().Loss;
    }

    /// <summary>Also where all weights of a group are equal and its scale would be 0.</summary>
    [Fact]
    public void A_group_of_equal_weights_takes_a_merge_too()
    {
        using var model = Create<StoriesQaLoraInt4>();
        QaLoraAdapter adapter = model.Layers[0].Attention.Query.Adapter;
        Tensor weight = Weight(model, adapter);
        model.Backend.Write(weight, Enumerable.Range(0, (int)weight.Count).Select(i => i / 32 % 3 == 0 ? 0f : 0.25f * (i / 32 % 5)).ToArray());
        double[] x = Random(adapter.Inputs, "x");
        double[] expected = [.. Times(model.Values(weight), adapter.Inputs, x).Zip(Added(model, adapter, x), (w, d) => w + d)];
        ZeroPointMerge.Apply(model);
        AssertClose(expected, Times(model.Values(weight), adapter.Inputs, x), 1e-5);
    }

    [Fact]
    public void Merged_weights_saved_as_floats_become_the_same_codes_again()
    {
        using var folder = new TemporaryFolder();
        using var model = Create<StoriesQaLoraInt4>();
        double[] expected = model.LogitsOf(Tokens)[^1];
        MergedWeights.Save(model, folder.Path);

        using var loaded = Create<StoriesQaLoraInt4>(baseFolder: folder.Path);
        SetB(loaded, _ => 0);

        AssertClose(expected, loaded.LogitsOf(Tokens)[^1], 1e-5);
        foreach (QaLoraAdapter adapter in model.Adapters.Cast<QaLoraAdapter>())
        {
            Tensor weight = Weight(model, adapter);
            int codes = (int)StorageLayout.Of(weight.Type, weight.Rows, weight.Columns).CodeBytes;
            Assert.Equal(Bytes(model, weight)[..codes], Bytes(loaded, Weight(loaded, adapter))[..codes]);
        }
    }

    [Fact]
    public void What_zero_points_cannot_take_is_refused_and_nothing_merged()
    {
        using var floats = Create<StoriesQaLora>();
        double[] before = floats.LogitsOf(Tokens)[^1];
        Assert.Contains("FeedForward.Down' is Float64, which cannot take an adapter on groups of 43 inputs", Refused(floats));
        Assert.Equal(before, floats.LogitsOf(Tokens)[^1]);

        using var lora = Create<StoriesInt4>();
        Assert.Contains("the LoRA adapter of 'Layers[0].Attention.Query'", Refused(lora));

        using var wide = Create<StoriesQaLoraNarrow>();
        Assert.Contains("'Layers[0].Attention.Query' is Int4, block 32, which cannot take an adapter on groups of 16 inputs", Refused(wide));

        static string Refused(TransformerModel model) => Assert.Throws<ArgumentException>(() => ZeroPointMerge.Apply(model)).Message;
    }

    [Fact]
    public void Files_keep_every_bit()
    {
        using var folder = new TemporaryFolder();
        using var saved = Create<StoriesQaLora>("cpu-1");
        AdapterFiles.Save(saved, folder.Path);
        using var loaded = Create<StoriesQaLora>("cpu-1");
        Initialization.Adapters(loaded, seed: 99);
        SetB(loaded, _ => 1);

        AdapterFiles.Load(loaded, folder.Path);

        Assert.All(saved.Adapters.Zip(loaded.Adapters), pair => Assert.All(
            pair.First.Parameters.Zip(pair.Second.Parameters), p => Assert.Equal(saved.Values(p.First.Value), loaded.Values(p.Second.Value))));
        LowRankFactors exported = PeftAdapter.Load(folder.Path).Modules["model.layers.1.mlp.down_proj"];
        Assert.Equal((3, 172, 64), (exported.Rank, exported.Inputs, exported.Outputs));
    }

    [Fact]
    public void A_resumed_run_has_the_bits_of_an_uninterrupted_one()
    {
        using var folder = new TemporaryFolder();
        TrainingOptions options = SmallRun.Options with { Steps = 4, Schedule = Schedule.Constant };
        using StoriesQaLora uninterrupted = SmallRun.CreateModel<StoriesQaLora>();
        float[] start = SmallRun.State(uninterrupted);
        new Trainer(uninterrupted, SmallRun.Data, options).Run();
        using (StoriesQaLora first = SmallRun.CreateModel<StoriesQaLora>())
        {
            new Trainer(first, SmallRun.Data, options with { Steps = 2, OutputFolder = folder.Path }).Run();
        }

        using StoriesQaLora second = SmallRun.CreateModel<StoriesQaLora>();
        new Trainer(second, SmallRun.Data, options with { OutputFolder = folder.Path, Resume = true }).Run();

        Assert.Equal(SmallRun.State(uninterrupted), SmallRun.State(second));
        Assert.NotEqual(start, SmallRun.State(second));
    }

    /// <summary>A model for generation with random weights and adapters that change what it computes.</summary>
    private static T Create<T>(string backend = "reference", string? baseFolder = null)
        where T : TransformerModel, IModel<T>
    {
        T model = Model.ForGeneration<T>(16, backend: ModelBackends.Create(backend));
        Initialization.All(model, seed: 3);
        if (baseFolder is not null)
        {
            BaseWeights.Load(model, baseFolder);
        }

        SetB(model, i => 0.1 * Math.Sin(i));
        return model;
    }

    private static void SetB(TransformerModel model, Func<int, double> value)
    {
        foreach (AdapterState adapter in model.Adapters)
        {
            Tensor b = adapter.Parameters[1].Value;
            model.Backend.Write(b, Enumerable.Range(0, (int)b.Count).Select(i => value(i + 3 * adapter.Index + adapter.Layer)).ToArray());
        }
    }

    /// <summary>s B (A p) of one input row.</summary>
    private static double[] Added(TransformerModel model, QaLoraAdapter adapter, double[] x)
    {
        double[] means = [.. x.Chunk(adapter.GroupSize).Select(group => group.Average())];
        double[] h = Times(model.Values(adapter.A.Value), means.Length, means);
        double scale = adapter.Slot.Alpha / adapter.Rank;
        return [.. Times(model.Values(adapter.B.Value), adapter.Rank, h).Select(v => scale * v)];
    }

    private static double[] Times(double[] matrix, int columns, double[] x) => [.. matrix.Chunk(columns).Select(row => row.Zip(x, (w, v) => w * v).Sum())];

    private static double[] Times(float[] matrix, int columns, double[] x) => Times([.. matrix.Select(v => (double)v)], columns, x);

    private static double[] Random(int count, string name)
    {
        var random = new ModelCompiler.Numerics.SplitMix(5, name);
        var values = new double[count];
        for (int i = 0; i < count; i++)
        {
            values[i] = random.Normal();
        }

        return values;
    }

    private static Tensor Weight(TransformerModel model, AdapterState adapter) => adapter.WeightIn(model).Value;

    private static byte[] Bytes(TransformerModel model, Tensor weight)
    {
        var bytes = new byte[weight.Bytes.Columns];
        model.Backend.Read(weight.Bytes, bytes.AsSpan());
        return bytes;
    }

    private static void AssertClose(double[] expected, double[] actual, double tolerance)
    {
        double allowed = tolerance * expected.Max(Math.Abs);
        Assert.Equal(expected.Length, actual.Length);
        Assert.All(expected.Zip(actual), pair => Assert.InRange(pair.Second, pair.First - allowed, pair.First + allowed));
    }
}
