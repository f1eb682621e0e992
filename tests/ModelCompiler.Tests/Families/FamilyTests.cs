using System.Text.Json.Nodes;
using ModelCompiler.Adapters;
using ModelCompiler.Backends.Cpu;
using ModelCompiler.HuggingFace.Checkpoints;
using ModelCompiler.HuggingFace.Families;
using ModelCompiler.HuggingFace.Peft;
using ModelCompiler.HuggingFace.Weights;
using ModelCompiler.Models;
using ModelCompiler.Planning;
using ModelCompiler.Safetensors;
using ModelCompiler.Tests.Files;
using ModelCompiler.Tests.Models;

namespace ModelCompiler.Tests.Families;

/// <summary>Phi-3 and GPT-2 from their checkpoints' layout, against PyTorch in that layout.</summary>
public class FamilyTests
{
    public static TheoryData<string, string> Runs => new() { { "phi3", "reference" }, { "phi3", "cpu-2" }, { "gpt2", "reference" }, { "gpt2", "cpu-2" } };

    [Theory]
    [MemberData(nameof(Runs))]
    public void Loss_logits_and_gradients_are_pytorchs(string family, string backend)
    {
        FamilyFixture fixture = FamilyFixture.Load(family);
        using var folder = new TemporaryFolder();
        fixture.WriteBase(folder);
        using TransformerModel model = family == "phi3" ? Train<TinyPhi3>(fixture, backend) : Train<TinyGpt2>(fixture, backend);
        using TransformerModel served = family == "phi3" ? Serve<TinyPhi3>(backend) : Serve<TinyGpt2>(backend);
        BaseWeights.Load(model, folder.Path);
        BaseWeights.Load(served, folder.Path);

        Assert.Equal(fixture.Loss, model.Differentiate(fixture.Inputs, fixture.Targets), 1e-5);
        AssertClose(fixture.Logits.SelectMany(r => r), fixture.Inputs.SelectMany(row => served.LogitsOf(row)).SelectMany(r => r), 1e-4);

        // The map of what is saved puts gradients into the checkpoint's layout too.
        TensorMap map = BaseWeights.MapOf(model);
        FillRows? Gradient(Parameter p) => (first, rows) => model.Values(p.Gradient).AsSpan((int)first, rows.Length).ToArray().Select(v => (float)v).ToArray().CopyTo(rows);
        Dictionary<string, TensorSource> gradients = MappedSources.Of(model, map, _ => SafetensorsType.F32, Gradient).ToDictionary(s => s.Name);
        Assert.Equal(fixture.Parameters.Select(p => p.Name), gradients.Keys.Order(StringComparer.Ordinal));
        foreach (StoredGradient expected in fixture.Parameters)
        {
            TensorSource actual = gradients[expected.Name];
            Assert.Equal(expected.Shape, actual.Shape.Select(d => (int)d));
            var values = new float[actual.Count];
            actual.Fill(0, values);
            Assert.InRange(Math.Abs(ModelRun.Norm(values.Select(v => (double)v)) - expected.Norm), 0, 1e-4 * expected.Norm + 1e-7);
            AssertClose(expected.Gradient, values.Take(expected.Gradient.Length).Select(v => (double)v), 1e-4 * expected.Norm + 1e-7);
        }
    }

    [Theory]
    [MemberData(nameof(Runs))]
    public void An_adapter_of_peft_on_the_fused_projection_computes_what_pytorch_does(string family, string backend)
    {
        FamilyFixture fixture = FamilyFixture.Load(family);
        using var folder = new TemporaryFolder();
        fixture.WriteBase(folder);
        fixture.WriteAdapter(folder.File("adapter"));
        using TransformerModel model = family == "phi3" ? Train<TinyPhi3Lora>(fixture, backend) : Train<TinyGpt2Lora>(fixture, backend);
        using TransformerModel plain = family == "phi3" ? Serve<TinyPhi3>(backend) : Serve<TinyGpt2>(backend);
        BaseWeights.Load(model, folder.Path);
        AdapterFiles.Load(model, folder.File("adapter"));

        Assert.Equal(fixture.Adapter.Loss, model.Differentiate(fixture.Inputs, fixture.Targets), 1e-5);
        foreach (IGrouping<int, AdapterState> layer in model.Adapters.GroupBy(a => a.Layer))
        {
            FusedGradient expected = fixture.Adapter.Gradients[layer.Key];
            AssertClose(expected.B, layer.SelectMany(a => model.Values(a.Parameters[1].Gradient)), 1e-4);

            // Each part has A for itself; the fused one's gradient is their sum.
            double[][] parts = [.. layer.Select(a => model.Values(a.Parameters[0].Gradient))];
            Assert.Equal(expected.ANorm, ModelRun.Norm(Enumerable.Range(0, parts[0].Length).Select(i => parts.Sum(p => p[i]))), 1e-4);
        }

        MergedWeights.Save(model, folder.File("merged"));
        BaseWeights.Load(plain, folder.File("merged"));
        AssertClose(fixture.Adapter.LastLogits, plain.LogitsOf(fixture.Inputs[^1])[^1], 1e-4);
    }

    [Theory]
    [InlineData("phi3")]
    [InlineData("gpt2")]
    public void What_is_loaded_is_saved_bit_by_bit(string family)
    {
        FamilyFixture fixture = FamilyFixture.Load(family);
        using var folder = new TemporaryFolder();
        fixture.WriteBase(folder);
        using TransformerModel model = family == "phi3" ? Serve<TinyPhi3>("cpu-1") : Serve<TinyGpt2>("cpu-1");
        BaseWeights.Load(model, folder.Path);

        BaseWeights.Save(model, folder.File("saved"));
        BaseFolder.Save(model, folder.Path, folder.File("copied"));

        byte[] expected = File.ReadAllBytes(folder.File("model.safetensors"));
        Assert.Equal(expected, File.ReadAllBytes(folder.File("saved/model.safetensors")));
        Assert.Equal(expected, File.ReadAllBytes(folder.File("copied/model.safetensors")));
        Assert.Equal(fixture.Config.ToJsonString(), File.ReadAllText(folder.File("copied/config.json")));
        JsonObject config = JsonNode.Parse(File.ReadAllText(folder.File("saved/config.json")))!.AsObject();
        Assert.Equal(family, (string)config["model_type"]!);
        foreach (string key in (string[])["vocab_size", "hidden_size", "num_key_value_heads", "n_embd", "n_layer", "n_head", "n_inner", "n_positions", "activation_function"])
        {
            Assert.Equal(fixture.Config[key]?.ToJsonString(), config[key]?.ToJsonString());
        }

        Assert.True(BaseWeights.Fits(folder.File("saved"), model.Tables));
    }

    /// <summary>openai-community/gpt2 is saved without the head's class, and with the masks of its time.</summary>
    [Fact]
    public void Gpt2_without_its_prefix_is_the_same_model()
    {
        FamilyFixture fixture = FamilyFixture.Load("gpt2");
        using var folder = new TemporaryFolder();
        fixture.WriteBase(folder, name => name["transformer.".Length..], TensorSource.FromArray("h.0.attn.bias", new float[256], SafetensorsType.F32, 1, 1, 16, 16));
        using var model = Serve<TinyGpt2>("cpu-1");

        BaseWeights.Load(model, folder.Path);

        AssertClose(fixture.Logits.Take(8).SelectMany(r => r), model.LogitsOf(fixture.Inputs[0]).SelectMany(r => r), 1e-4);
    }

    [Theory]
    [InlineData("phi3", new[] { "down_proj", "gate_up_proj", "qkv_proj" }, false)]
    [InlineData("gpt2", new[] { "attn.c_proj", "c_attn", "c_fc" }, true)]
    public void Adapters_on_parts_are_exported_as_one_on_the_fused_module(string family, string[] targets, bool transposed)
    {
        FamilyFixture fixture = FamilyFixture.Load(family);
        using var folder = new TemporaryFolder();
        fixture.WriteBase(folder);
        using TransformerModel model = family == "phi3" ? Train<TinyPhi3LoraSome>(fixture, "cpu-1") : Train<TinyGpt2LoraSome>(fixture, "cpu-1");
        using TransformerModel again = family == "phi3" ? Train<TinyPhi3LoraSome>(fixture, "cpu-1") : Train<TinyGpt2LoraSome>(fixture, "cpu-1");
        BaseWeights.Load(model, folder.Path);
        BaseWeights.Load(again, folder.Path);
        Initialization.Adapters(model, seed: 3);
        Initialization.Adapters(again, seed: 4);
        foreach ((int index, AdapterState adapter) in model.Adapters.Index())
        {
            Initialization.Normal(model, adapter.Parameters[1], (ulong)index, 0.1);
        }

        AdapterFiles.Save(model, folder.File("adapter"));
        MergedWeights.Save(model, folder.File("merged"));
        PeftAdapter file = PeftAdapter.Load(folder.File("adapter"));
        Assert.Equal(targets, file.Config.TargetModules.Order(StringComparer.Ordinal));
        Assert.Equal(transposed, file.Config.FanInFanOut);

        // W + s B A, as PEFT merges it, is what we merge part by part.
        using Checkpoint before = Checkpoint.Open(folder.Path);
        using Checkpoint after = Checkpoint.Open(folder.File("merged"));
        foreach ((string module, LowRankFactors factors) in file.Modules)
        {
            (float[] w, float[] merged) = (before.Read(module + ".weight"), after.Read(module + ".weight"));
            double scale = file.Config.ScaleOf(module);
            for (int i = 0; i < w.Length; i++)
            {
                (int row, int column) = Math.DivRem(i, transposed ? factors.Outputs : factors.Inputs);
                (int output, int input) = transposed ? (column, row) : (row, column);
                double added = Enumerable.Range(0, factors.Rank).Sum(r => (double)factors.B[output * factors.Rank + r] * factors.A[r * factors.Inputs + input]);
                Assert.Equal(w[i] + scale * added, merged[i], 1e-5);
            }
        }

        AdapterFiles.Load(again, folder.File("adapter"));
        Assert.Equal(model.Differentiate(fixture.Inputs, fixture.Targets), again.Differentiate(fixture.Inputs, fixture.Targets), 1e-6);
        Assert.All(model.Trainable.Zip(again.Trainable), p => AssertClose(model.Values(p.First.Value), again.Values(p.Second.Value), 1e-6));
    }

    [Fact]
    public void Magnitudes_of_parts_are_those_of_the_fused_module()
    {
        using var folder = new TemporaryFolder();
        FamilyFixture fixture = FamilyFixture.Load("phi3");
        fixture.WriteBase(folder);
        using var model = Train<TinyPhi3Dora>(fixture, "cpu-1");
        using var again = Train<TinyPhi3Dora>(fixture, "cpu-1");
        using var some = Train<TinyPhi3DoraSome>(fixture, "cpu-1");
        foreach (TransformerModel each in (TransformerModel[])[model, again, some])
        {
            BaseWeights.Load(each, folder.Path);
            Initialization.Adapters(each, seed: 3);
        }

        foreach ((int index, AdapterState adapter) in model.Adapters.Index())
        {
            Initialization.Normal(model, adapter.Parameters[1], (ulong)index, 0.1);
        }

        AdapterFiles.Save(model, folder.File("adapter"));
        AdapterFiles.Load(again, folder.File("adapter"));

        Assert.Equal(model.Differentiate(fixture.Inputs, fixture.Targets), again.Differentiate(fixture.Inputs, fixture.Targets), 1e-6);
        Assert.Equal(48, PeftAdapter.Load(folder.File("adapter")).Modules["model.layers.1.self_attn.qkv_proj"].Magnitude!.Length);
        Assert.Contains("only some have magnitudes", Assert.Throws<ArgumentException>(() => AdapterFiles.Save(some, folder.File("some"))).Message);
    }

    [Fact]
    public void Ranks_that_moved_are_read_back_from_a_fused_module()
    {
        using var folder = new TemporaryFolder();
        FamilyFixture fixture = FamilyFixture.Load("phi3");
        fixture.WriteBase(folder);
        var ranks = new RankPattern(TinyPhi3L1ra.Tables, (slot, layer) => 2 + slot + layer);
        TrainingPlan plan = ModelRun.PlanFor(fixture.Inputs) with { Ranks = ranks, MoveRanks = false };
        using var model = Model.ForTraining<TinyPhi3L1ra>(plan, new CpuBackend(1));
        BaseWeights.Load(model, folder.Path);
        Initialization.Adapters(model, seed: 3);

        AdapterFiles.Save(model, folder.File("adapter"));

        Assert.Equal(ranks, AdapterFiles.Ranks(TinyPhi3L1ra.Tables, folder.File("adapter")));
        Assert.Equal(5, PeftAdapter.Load(folder.File("adapter")).Modules["model.layers.0.self_attn.qkv_proj"].Rank);
        using var again = Model.ForTraining<TinyPhi3L1ra>(plan, new CpuBackend(1));
        BaseWeights.Load(again, folder.Path);
        AdapterFiles.Load(again, folder.File("adapter"));
        Assert.All(model.Trainable.Zip(again.Trainable), p => Assert.Equal(model.Read(p.First), again.Read(p.Second)));
    }

    [Theory]
    [InlineData("phi3")]
    [InlineData("gpt2")]
    public void Parts_in_4_bits_are_joined_and_taken_apart(string family)
    {
        FamilyFixture fixture = FamilyFixture.Load(family);
        using var folder = new TemporaryFolder();
        fixture.WriteBase(folder);
        using TransformerModel model = family == "phi3" ? Serve<TinyPhi3Nf4>("cpu-1") : Serve<TinyGpt2Nf4>("cpu-1");
        using TransformerModel again = family == "phi3" ? Serve<TinyPhi3Nf4>("cpu-1") : Serve<TinyGpt2Nf4>("cpu-1");
        using TransformerModel plain = family == "phi3" ? Serve<TinyPhi3>("cpu-1") : Serve<TinyGpt2>("cpu-1");
        BaseWeights.Load(model, folder.Path);

        BaseWeights.SaveQuantized(model, folder.File("nf4"), SafetensorsType.F32);
        BaseWeights.Load(again, folder.File("nf4"));
        BaseWeights.Load(plain, folder.File("nf4"));

        foreach (Parameter parameter in plain.Parameters)
        {
            Assert.Equal(model.Values(model.Named(parameter.Path).Value), again.Values(again.Named(parameter.Path).Value));
            var held = new float[parameter.Value.Count];
            new ModelCompiler.Backends.HostRows(model.Backend, model.Named(parameter.Path).Value).Read(0, held);
            Assert.Equal(held, plain.Read(parameter));
        }
    }

    [Fact]
    public void Parts_whose_factors_are_quantized_are_refused()
    {
        using var folder = new TemporaryFolder();
        FamilyFixture.Load("phi3").WriteBase(folder);
        using var model = Serve<TinyPhi3Nested>("cpu-1");
        BaseWeights.Load(model, folder.Path);

        ArgumentException error = Assert.Throws<ArgumentException>(() => BaseWeights.SaveQuantized(model, folder.File("nf4")));
        Assert.Contains("'model.layers.0.self_attn.qkv_proj.weight'", error.Message);
        Assert.Contains("without double quantization", error.Message);
    }

    [Fact]
    public void A_tensor_of_another_size_is_named()
    {
        using var folder = new TemporaryFolder();
        FamilyFixture fixture = FamilyFixture.Load("phi3");
        const string fused = "model.layers.1.self_attn.qkv_proj.weight";
        (fixture with { Parameters = [.. fixture.Parameters.Select(p => p.Name == fused ? p with { Shape = [72, 24] } : p)] }).WriteBase(folder);
        using var model = Serve<TinyPhi3>("cpu-1");

        string message = Assert.Throws<CheckpointException>(() => BaseWeights.Load(model, folder.Path)).Message;

        Assert.Contains($"'{fused}' is [72, 24], the description needs [48, 24]", message);
    }

    [Theory]
    [InlineData("n_inner", "41", "key 'n_inner' is 41, but TinyGpt2 is described with 40")]
    [InlineData("n_inner", null, "key 'n_inner' is absent, which means 96, but TinyGpt2 is described with 40")]
    [InlineData("activation_function", "\"gelu\"", "key 'activation_function' is \"gelu\"")]
    [InlineData("scale_attn_by_inverse_layer_idx", "true", "key 'scale_attn_by_inverse_layer_idx' is true, which TinyGpt2 does not compute")]
    [InlineData("rope_theta", "10000", "has no rotary positions")]
    [InlineData("n_experts", "2", "key 'n_experts' is 2, which TinyGpt2 does not compute")]
    public void Keys_of_gpt2_are_checked(string key, string? value, string expected)
    {
        using var folder = new TemporaryFolder();
        FamilyFixture fixture = FamilyFixture.Load("gpt2");
        fixture.Config.Remove(key);
        if (value is not null)
        {
            fixture.Config[key] = JsonNode.Parse(value);
        }

        fixture.WriteBase(folder);
        using var model = Serve<TinyGpt2>("cpu-1");

        Assert.Contains(expected, Assert.Throws<CheckpointException>(() => BaseWeights.Load(model, folder.Path)).Message);
    }

    [Theory]
    [InlineData("gpt2")]
    [InlineData("phi-4")]
    public void Real_configurations_fit(string name)
    {
        TestData.Require($"families/{name}");
        string folder = TestData.PathOf($"families/{name}");

        Assert.True(BaseWeights.Fits(folder, name == "gpt2" ? Gpt2Small.Tables : Phi4.Tables));
        Assert.False(BaseWeights.Fits(folder, name == "gpt2" ? Phi4.Tables : Gpt2Small.Tables));
    }

    /// <summary>Every parameter of every model of the gallery and of the tests is in one place of its own in every family that fits.</summary>
    [Fact]
    public void No_two_parameters_share_rows()
    {
        Assert.All(ModelRegistry.All, entry => Assert.All(CheckpointFamily.MapsOf(entry.Tables), map =>
        {
            var taken = new HashSet<(string, int)>();
            foreach (ParameterInfo row in entry.Tables.Parameters.Where(p => p.Slot < 0))
            {
                foreach (TensorMapping mapping in entry.Tables.LayersOf(row).Select(layer => map.Of(row, layer)))
                {
                    Assert.True(taken.Add((mapping.Tensor, mapping.First)), $"{entry.Tables.Name}: {map.Family.ModelType} has {row.Path} where another parameter is");
                    Assert.InRange(mapping.First + mapping.Count, 1, mapping.Total);
                }
            }
        }));
    }

    private static T Train<T>(FamilyFixture fixture, string backend)
        where T : TransformerModel, IModel<T> => Model.ForTraining<T>(ModelRun.PlanFor(fixture.Inputs), ModelBackends.Create(backend));

    private static T Serve<T>(string backend)
        where T : TransformerModel, IModel<T> => Model.ForGeneration<T>(16, backend: ModelBackends.Create(backend));

    private static void AssertClose(IEnumerable<double> expected, IEnumerable<double> actual, double tolerance)
    {
        (double[] e, double[] a) = ([.. expected], [.. actual]);
        Assert.Equal(e.Length, a.Length);
        Assert.All(e.Zip(a), pair => Assert.Equal(pair.First, pair.Second, tolerance));
    }
}
