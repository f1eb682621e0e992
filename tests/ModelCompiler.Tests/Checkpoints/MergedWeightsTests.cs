using ModelCompiler.Adapters;
using ModelCompiler.Backends;
using ModelCompiler.Backends.Cpu;
using ModelCompiler.HuggingFace.Peft;
using ModelCompiler.HuggingFace.Weights;
using ModelCompiler.Models;
using ModelCompiler.Testing.Reference;
using ModelCompiler.Tests.Files;
using ModelCompiler.Tests.Models;

namespace ModelCompiler.Tests.Checkpoints;

public class MergedWeightsTests
{
    [Fact]
    public void The_merged_model_computes_what_base_and_adapters_do()
    {
        using var folder = new TemporaryFolder();
        using var adapted = Model.ForGeneration<StoriesLoraDropout>(16, backend: new ReferenceBackend());
        Initialization.All(adapted, seed: 3);
        foreach (LoraAdapter adapter in adapted.Adapters.Cast<LoraAdapter>())
        {
            adapted.Backend.Write(adapter.B, Enumerable.Range(0, (int)adapter.B.Value.Count).Select(i => 0.1 * Math.Sin(i + adapter.Layer)).ToArray());
        }

        int[] tokens = [1, 40, 300, 7];
        double[] expected = adapted.LogitsOf(tokens)[^1];
        double[] before = adapted.Values(adapted.Layers[3].Attention.Key.Weight);

        MergedWeights.Save(adapted, folder.Path);

        Assert.Equal(before, adapted.Values(adapted.Layers[3].Attention.Key.Weight));
        using var merged = Model.ForGeneration<Stories260K>(16, backend: new ReferenceBackend());
        BaseWeights.Load(merged, folder.Path);
        double[] actual = merged.LogitsOf(tokens)[^1];
        Assert.All(expected.Zip(actual), pair => Assert.Equal(pair.First, pair.Second, 1e-6));

        // Without the adapters the same weights give other logits: the comparison can fail.
        using var bare = Model.ForGeneration<Stories260K>(16, backend: new ReferenceBackend());
        BaseWeights.Save(adapted, folder.Path);
        BaseWeights.Load(bare, folder.Path);
        Assert.True(expected.Zip(bare.LogitsOf(tokens)[^1]).Max(pair => Math.Abs(pair.First - pair.Second)) > 1e-3);
    }

    [Fact]
    public void An_adapter_on_a_tied_head_cannot_be_merged()
    {
        using var folder = new TemporaryFolder();
        using var model = Model.ForGeneration<StoriesLoraHead>(16, backend: new ReferenceBackend());
        Assert.Contains("'Head'", Assert.Throws<ArgumentException>(() => MergedWeights.Save(model, folder.Path)).Message);
    }

    [Fact]
    public void Every_row_of_every_matrix_is_merged_by_its_own_scale_whatever_its_size()
    {
        RowsAreMerged<DocsWriterScales>();
        RowsAreMerged<DocsWriterScalesNf4>();
        RowsAreMerged<DocsWriterScalesDora>();
    }

    [Fact]
    public void The_scale_of_a_module_follows_its_patterns()
    {
        using var from = Model.ForGeneration<Stories260K>(4, backend: new CpuBackend(1));
        using var merged = Model.ForGeneration<Stories260K>(4, backend: new CpuBackend(1));
        Initialization.All(from, seed: 5);
        const string first = "model.layers.0.self_attn.q_proj";
        const string second = "model.layers.3.mlp.up_proj";
        const string third = "model.layers.3.mlp.gate_proj";
        var config = new PeftConfig
        {
            R = 2,
            Alpha = 3,
            TargetModules = ["q_proj", "up_proj", "gate_proj"],
            RankPattern = [KeyValuePair.Create("mlp.up_proj", 1)],
            AlphaPattern = [KeyValuePair.Create("layers.0.self_attn.q_proj", 16.0), KeyValuePair.Create("up_proj", 7.0)],
        };
        var adapter = new PeftAdapter(config, new Dictionary<string, LowRankFactors>
        {
            [first] = Ones(rank: 2, inputs: 64, outputs: 64),
            [second] = Ones(rank: 1, inputs: 64, outputs: 172),
            [third] = Ones(rank: 2, inputs: 64, outputs: 172),
        });

        MergedWeights.Load(merged, from, adapter);

        // Each element grows by scale times rank: 16, 7 and 3.
        Dictionary<string, double> grows = new() { [first + ".weight"] = 16, [second + ".weight"] = 7, [third + ".weight"] = 3 };
        Assert.All(from.Parameters, p => Assert.Equal(
            0, Farthest(from.Values(p.Value), merged.Values(merged.Named(p.Path).Value), grows.GetValueOrDefault(from.NameOf(p))), 1e-5));
    }

    [Fact]
    public void What_a_start_took_from_the_weight_is_not_merged_twice()
    {
        using var folder = new TemporaryFolder();
        using (var model = Model.ForGeneration<Stories260K>(4, backend: new CpuBackend(1)))
        {
            Initialization.All(model, seed: 6);
            BaseWeights.Save(model, folder.Path);
        }

        using var adapted = Model.ForGeneration<StoriesPissa>(4, backend: new CpuBackend(1));
        BaseWeights.Load(adapted, folder.Path);
        Initialization.Adapters(adapted, seed: 1);
        using var merged = Model.ForGeneration<Stories260K>(4, backend: new CpuBackend(1));

        AdapterFiles.Save(adapted, folder.File("adapter"));
        MergedWeights.Load(merged, adapted, PeftAdapter.Load(folder.File("adapter")));

        // An untrained adapter changes nothing.
        using var expected = Model.ForGeneration<Stories260K>(4, backend: new CpuBackend(1));
        BaseWeights.Load(expected, folder.Path);
        Assert.All(expected.Parameters, p => Assert.Equal(0, Farthest(expected.Values(p.Value), merged.Values(merged.Named(p.Path).Value)), 1e-5));
    }

    private static LowRankFactors Ones(int rank, int inputs, int outputs) =>
        new(rank, inputs, outputs, [.. Enumerable.Repeat(1f, rank * inputs)], [.. Enumerable.Repeat(1f, outputs * rank)]);

    /// <summary>Compares with W + s B A, in double, both what <see cref="MergedWeights.Load"/> fills and what <see cref="MergedWeights.Save"/> writes.</summary>
    private static void RowsAreMerged<T>()
        where T : TransformerModel, IModel<T>
    {
        using var folder = new TemporaryFolder();
        using T adapted = Model.ForGeneration<T>(4, backend: new CpuBackend(1));
        Initialization.All(adapted, seed: 4);
        foreach (AdapterState adapter in adapted.Adapters)
        {
            Parameter b = adapter.Parameters[1];
            adapted.Backend.Write(b.Value, Enumerable.Range(0, (int)b.Value.Count).Select(i => 0.1 * Math.Sin(i + adapter.Layer)).ToArray());
        }

        AdapterFiles.Save(adapted, folder.File("adapter"));
        MergedWeights.Save(adapted, folder.File("merged"));
        using var loaded = Model.ForGeneration<DocsWriter>(4, backend: new CpuBackend(1));
        using var saved = Model.ForGeneration<DocsWriter>(4, backend: new CpuBackend(1));
        MergedWeights.Load(loaded, adapted, PeftAdapter.Load(folder.File("adapter")));
        BaseWeights.Load(saved, folder.File("merged"));

        int above = 0;
        foreach (Parameter parameter in loaded.Parameters)
        {
            double[] expected = Merged(adapted, parameter.Path);
            Assert.Equal(0, Farthest(expected, loaded.Values(parameter.Value)), 1e-6);
            Assert.Equal(0, Farthest(expected, saved.Values(saved.Named(parameter.Path).Value)), 1e-6);
            above += expected.Length > 1 << 16 ? 1 : 0;
        }

        Assert.Equal(16, above);
    }

    private static double[] Merged(TransformerModel model, string name)
    {
        Parameter parameter = model.Named(name);
        (int rows, int columns) = (parameter.Value.Rows, parameter.Value.Columns);
        var weight = new double[rows * columns];
        new HostRows(model.Backend, parameter.Value).Read(0, weight);
        if (model.Adapters.FirstOrDefault(a => a.Path + ".Weight" == name) is not { } adapter)
        {
            return weight;
        }

        double scale = name.Contains(".Attention.", StringComparison.Ordinal) ? 6 / 2.0 : 5 / Math.Sqrt(3);
        double[] a = model.Values(adapter.Parameters[0].Value);
        double[] b = model.Values(adapter.Parameters[1].Value);
        double[]? magnitude = adapter.HasMagnitude ? model.Values(adapter.Parameters[2].Value) : null;
        for (int i = 0; i < rows; i++)
        {
            Span<double> row = weight.AsSpan(i * columns, columns);
            double squares = 0;
            for (int j = 0; j < columns; j++)
            {
                for (int k = 0; k < adapter.Rank; k++)
                {
                    row[j] += scale * b[i * adapter.Rank + k] * a[k * columns + j];
                }

                squares += row[j] * row[j];
            }

            for (int j = 0; j < columns && magnitude is not null; j++)
            {
                row[j] *= magnitude[i] / Math.Sqrt(squares);
            }
        }

        return weight;
    }

    private static double Farthest(double[] expected, double[] actual, double more = 0) =>
        expected.Length == actual.Length ? expected.Zip(actual).Max(pair => Math.Abs(pair.First + more - pair.Second)) : double.PositiveInfinity;
}
