using System.Text.Json;
using ModelCompiler.Adapters;
using ModelCompiler.HuggingFace.Peft;
using ModelCompiler.HuggingFace.Weights;
using ModelCompiler.Models;
using ModelCompiler.Planning;
using ModelCompiler.Safetensors;
using ModelCompiler.Testing.Reference;
using ModelCompiler.Tests.Files;
using ModelCompiler.Tests.Models;
using ModelCompiler.Tests.Training;
using ModelCompiler.Training;
using static ModelCompiler.Tests.Adapters.AdapterRun;

namespace ModelCompiler.Tests.Adapters;

public class DoraTests
{
    [Fact]
    public void It_starts_with_what_the_base_computes()
    {
        StartsAt<StoriesDora, Stories260K>(1e-12);
        StartsAt<StoriesDoraHead, Stories260K>(1e-12);
        StartsAt<StoriesDoraBFloat16, StoriesLoraBFloat16>(1e-12);
        StartsAt<StoriesDoraNf4, StoriesNf4>(1e-12);
    }

    [Fact]
    public void Magnitudes_start_as_the_norms_of_the_rows()
    {
        using StoriesDoraHead model = SmallRun.CreateModel<StoriesDoraHead>();
        foreach (DoraAdapter adapter in model.Adapters.Cast<DoraAdapter>())
        {
            double[] norms = Norms(Weight(model, adapter), adapter.Inputs);
            Assert.All(norms.Zip(model.Values(adapter.M.Value)), pair => Assert.Equal(pair.First, pair.Second, 1e-6));
            Assert.All(norms.Zip(model.Values(adapter.SquaredNorms.Value)), pair => Assert.Equal(pair.First * pair.First, pair.Second, 1e-5));
        }
    }

    [Fact]
    public void Every_storage_trains_and_leaves_the_norms_of_its_weights()
    {
        Trains<StoriesDora>();
        Trains<StoriesDoraHead>();
        Trains<StoriesDoraBFloat16>();
        Trains<StoriesDoraNf4>();
    }

    /// <summary>Each merged row has the length of its magnitude and the direction of W + s B A, as the formula says and as the running model computes.</summary>
    [Fact]
    public void The_merged_model_is_the_formula_and_computes_what_the_adapters_do()
    {
        using var files = new TemporaryFolder();
        using var merged = new TemporaryFolder();
        using StoriesDora trained = SmallRun.CreateModel<StoriesDora>();
        new Trainer(trained, SmallRun.Data, SmallRun.Options).Run();
        AdapterFiles.Save(trained, files.Path);
        MergedWeights.Save(trained, merged.Path);
        using var bare = Model.ForGeneration<Stories260K>(16, backend: new ReferenceBackend());
        BaseWeights.Load(bare, merged.Path);

        foreach (DoraAdapter adapter in trained.Adapters.Cast<DoraAdapter>())
        {
            double[] w = Weight(trained, adapter);
            (double[] a, double[] b, double[] m) = (trained.Values(adapter.A.Value), trained.Values(adapter.B.Value), trained.Values(adapter.M.Value));
            (int inputs, int rank) = (adapter.Inputs, adapter.Rank);
            double[] sum = [.. w.Select((x, i) => x + adapter.Scale * Enumerable.Range(0, rank).Sum(k => b[i / inputs * rank + k] * a[k * inputs + i % inputs]))];
            double[] norms = Norms(sum, inputs);
            double[] actual = bare.Values(bare.Named(adapter.Path + ".Weight").Value);
            Assert.All(actual.Select((x, i) => (x, sum[i] * m[i / inputs] / norms[i / inputs])), pair => Assert.Equal(pair.Item2, pair.x, 1e-6));
        }

        double[] expected = Logits<StoriesDora>(files.Path);
        Assert.All(expected.Zip(Logits(bare)), pair => Assert.Equal(pair.First, pair.Second, 1e-5));
        Assert.True(Apart(expected, Logits<Stories260K>(null)) > 1e-3);
    }

    /// <summary>Magnitudes are of what weights make; biases come after them and stay what they are in the merged model.</summary>
    [Fact]
    public void Biases_are_outside_the_magnitudes()
    {
        using var merged = new TemporaryFolder();
        using var adapted = Model.ForGeneration<GptNanoSortDora>(8, backend: new ReferenceBackend());
        Initialization.All(adapted, seed: 5);
        Parameter[] biases = [.. adapted.Parameters.Where(p => p.Info.Kind == ParameterKind.Bias && !p.Path.Contains("Norm", StringComparison.Ordinal))];
        Assert.NotEmpty(biases);
        foreach (Parameter bias in biases)
        {
            Initialization.Uniform(adapted, bias, 6, 0.5);
        }

        foreach (DoraAdapter adapter in adapted.Adapters.Cast<DoraAdapter>())
        {
            Initialization.Uniform(adapted, adapter.B, 7, 0.1);
            adapted.Backend.Write(adapter.M.Value, (ReadOnlySpan<double>)adapted.Values(adapter.M.Value).Select((m, i) => m * (1.5 + Math.Sin(i))).ToArray());
        }

        MergedWeights.Save(adapted, merged.Path);
        using var bare = Model.ForGeneration<GptNanoSort>(8, backend: new ReferenceBackend());
        BaseWeights.Load(bare, merged.Path);
        double[] expected = [.. adapted.LogitsOf([0, 2, 1]).SelectMany(row => row)];
        double[] actual = [.. bare.LogitsOf([0, 2, 1]).SelectMany(row => row)];

        Assert.True(Apart(expected, actual) < 1e-5, $"{Apart(expected, actual)}");
    }

    [Fact]
    public void Four_bit_weights_merge_into_what_the_adapters_compute()
    {
        using var files = new TemporaryFolder();
        using var unadapted = new TemporaryFolder();
        using var merged = new TemporaryFolder();
        using StoriesDoraNf4 trained = SmallRun.CreateModel<StoriesDoraNf4>();
        new Trainer(trained, SmallRun.Data, SmallRun.Options).Run();
        AdapterFiles.Save(trained, files.Path);
        BaseWeights.Save(trained, unadapted.Path);
        MergedWeights.Save(trained, merged.Path);
        using var bare = Model.ForGeneration<Stories260K>(16, backend: new ReferenceBackend());
        BaseWeights.Load(bare, merged.Path);

        Assert.True(Apart(Logits<StoriesDoraNf4>(files.Path, unadapted.Path), Logits(bare)) < 1e-5);
    }

    [Fact]
    public void The_files_are_pefts_dora_and_load_to_the_same_bits()
    {
        using var folder = new TemporaryFolder();
        using StoriesDora trained = SmallRun.CreateModel<StoriesDora>();
        new Trainer(trained, SmallRun.Data, SmallRun.Options).Run();
        AdapterFiles.Save(trained, folder.Path);

        using (JsonDocument config = JsonDocument.Parse(File.ReadAllBytes(folder.File("adapter_config.json"))))
        {
            Assert.True(config.RootElement.GetProperty("use_dora").GetBoolean());
        }

        using (SafetensorsFile file = SafetensorsFile.Open(folder.File("adapter_model.safetensors")))
        {
            Assert.Equal(3 * trained.Adapters.Count, file.Tensors.Count);
            const string Query = "base_model.model.model.layers.2.self_attn.q_proj.";
            Assert.Equal([64L], file[Query + "lora_magnitude_vector"].Shape);
            Assert.Equal([4L, 64L], file[Query + "lora_A.weight"].Shape);
            Assert.Equal([64L, 4L], file[Query + "lora_B.weight"].Shape);
            Assert.Equal(trained.Read(trained.Layers[2].Attention.Query.Adapter!.M), file.Read(Query + "lora_magnitude_vector"));
        }

        using StoriesDora loaded = Model.ForTraining<StoriesDora>(SmallRun.Plan());
        BaseWeights.Load(loaded, Base(trained));
        AdapterFiles.Load(loaded, folder.Path);
        Assert.All(trained.Parameters.Zip(loaded.Parameters), pair => Assert.Equal(trained.Read(pair.First), loaded.Read(pair.Second)));

        string Base(StoriesDora model)
        {
            BaseWeights.Save(model, folder.File("base"));
            return folder.File("base");
        }
    }

    [Fact]
    public void Dora_and_lora_refuse_the_files_of_each_other()
    {
        using var folder = new TemporaryFolder();
        using StoriesDoraBFloat16 dora = SmallRun.CreateModel<StoriesDoraBFloat16>();
        using StoriesGaussian lora = SmallRun.CreateModel<StoriesGaussian>();
        AdapterFiles.Save(dora, folder.File("dora"));
        AdapterFiles.Save(lora, folder.File("lora"));

        Assert.Contains("is DoRA in the file, LoRA in the recipe", Assert.Throws<CheckpointException>(() => AdapterFiles.Load(lora, folder.File("dora"))).Message);
        Assert.Contains("is plain LoRA in the file, DoRA in the recipe", Assert.Throws<CheckpointException>(() => AdapterFiles.Load(dora, folder.File("lora"))).Message);
    }

    [Fact]
    public void A_resumed_run_has_the_bits_of_an_uninterrupted_one()
    {
        Resumes<StoriesDora>(SmallRun.Options, [5, 12]);
        Resumes<StoriesDoraNf4>(SmallRun.Options, [5, 12]);
    }

    /// <summary>A row of zeros has no direction: it stays at 0 and makes nothing NaN.</summary>
    [Fact]
    public void A_row_of_zeros_stays_one()
    {
        using var model = Model.ForTraining<StoriesDora>(SmallRun.Plan(), new ReferenceBackend());
        Initialization.All(model, seed: 5);
        DoraAdapter adapter = model.Layers[2].Attention.Output.Adapter!;
        Tensors.Tensor weight = model.Layers[2].Attention.Output.Weight.Value;
        model.Backend.Zero(weight.Slice(3, 1));
        adapter.Initialize(model, seed: 5);

        double loss = model.Differentiate([[1, 40, 300, 7]], [[40, 300, 7, 511]]);

        Assert.True(double.IsFinite(loss));
        Assert.All(model.Trainable, p => Assert.All(model.Values(p.Gradient), g => Assert.True(double.IsFinite(g))));
        Assert.Equal(0, model.Values(adapter.M.Gradient)[3]);
    }

    // Seven projections of 64 inputs and 64, 32, 32, 64, 172, 172 and (of 172 inputs) 64 outputs in five layers: rank (in + out) + out each.
    [Fact]
    public void A_magnitude_for_each_output_is_all_that_it_trains_beyond_lora() =>
        Assert.Equal(
            Stories260K_Lora.Tables.ParameterCount(trainable: true) + 5 * (64 + 32 + 32 + 64 + 172 + 172 + 64), Stories260K_Dora.Tables.ParameterCount(trainable: true));

    private static void StartsAt<T, TBase>(double tolerance)
        where T : TransformerModel, IModel<T>
        where TBase : TransformerModel, IModel<TBase>
    {
        Assert.All(Logits<TBase>(null).Zip(Logits<T>(null)), pair => Assert.Equal(pair.First, pair.Second, tolerance));
    }

    private static void Trains<T>()
        where T : TransformerModel, IModel<T>
    {
        using T model = SmallRun.CreateModel<T>();
        float[][] before = [.. model.Trainable.Select(p => model.Read(p))];
        float[][] norms = [.. model.Adapters.Cast<DoraAdapter>().Select(a => model.Read(a.SquaredNorms))];
        var losses = new List<double>();
        new Trainer(model, SmallRun.Data, SmallRun.Options with { Steps = 30, WeightDecay = 0 }).Run(m => losses.Add(m.Loss));
        Assert.True(losses.TakeLast(5).Average() < losses.Take(5).Average() - 0.05, $"{losses[0]} to {losses[^1]}");
        Assert.All(model.Trainable.Zip(before), p => Assert.False(model.Read(p.First).AsSpan().SequenceEqual(p.Second), p.First.Path));
        Assert.Equal(norms, model.Adapters.Cast<DoraAdapter>().Select(a => model.Read(a.SquaredNorms)));
    }

    private static double[] Weight(TransformerModel model, DoraAdapter adapter) =>
        model.Values(adapter.WeightIn(model).Value);

    private static double[] Norms(double[] matrix, int columns) => [.. matrix.Chunk(columns).Select(row => ModelRun.Norm(row))];
}
