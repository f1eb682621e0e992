using ModelCompiler.Models;
using ModelCompiler.Planning;
using ModelCompiler.Tests.Fixtures;

namespace ModelCompiler.Tests.Models;

/// <summary>Every kind of description against PyTorch's double precision: logits, loss, and gradients element by element.</summary>
public class ClosedFormTests
{
    private static readonly Dictionary<string, string> Classes = new()
    {
        ["gpt2"] = nameof(ClosedFormGpt2),
        ["grouped-tied"] = nameof(ClosedFormGroupedTied),
        ["untied"] = nameof(ClosedFormUntied),
        ["parallel"] = nameof(ClosedFormParallel),
        ["post-norm"] = nameof(ClosedFormPostNorm),
        ["partial-rotary"] = nameof(ClosedFormPartialRotary),
        ["geglu-scaled-embedding"] = nameof(ClosedFormGegluScaledEmbedding),
        ["attention-bias"] = nameof(ClosedFormAttentionBias),
        ["soft-cap"] = nameof(ClosedFormSoftCap),
        ["layer-scale"] = nameof(ClosedFormLayerScale),
        ["head-width"] = nameof(ClosedFormHeadWidth),
        ["query-key-norm"] = nameof(ClosedFormQueryKeyNorm),
        ["scaled-rotary"] = nameof(ClosedFormScaledRotary),
        ["combined"] = nameof(ClosedFormCombined),
    };

    public static TheoryData<string, string, Checkpointing> Runs
    {
        get
        {
            var runs = new TheoryData<string, string, Checkpointing>();
            foreach (string name in ModelFixture.Names)
            {
                runs.Add(name, "reference", Checkpointing.Selective);
                runs.Add(name, "cpu-1", Checkpointing.None);
                runs.Add(name, "cpu-2", Checkpointing.Selective);
            }

            return runs;
        }
    }

    [Theory]
    [MemberData(nameof(Runs))]
    public void Loss_and_gradients_are_pytorchs(string name, string backend, Checkpointing checkpointing)
    {
        ModelFixture fixture = ModelFixture.Load(name);
        using TransformerModel model = Entry(name).ForTraining(ModelRun.PlanFor(fixture.Inputs, checkpointing), ModelBackends.Create(backend));
        Fill(model, fixture);

        double loss = model.Differentiate(fixture.Inputs, fixture.Targets);

        // A description's constants are floats: the embedding's scale differs from PyTorch's in the eighth digit.
        double tolerance = backend != "reference" ? 1e-4 : name == "geglu-scaled-embedding" ? 1e-6 : 1e-9;
        Assert.Equal(fixture.Loss, loss, tolerance);
        double scale = fixture.Parameters.Max(p => p.Norm);
        foreach (FixtureParameter parameter in fixture.Parameters)
        {
            double[] gradient = model.Values(model.Named(parameter.Name).Gradient);
            double norm = ModelRun.Norm(gradient);
            Assert.True(Math.Abs(norm - parameter.Norm) <= tolerance * Math.Max(parameter.Norm, scale / 100), $"{parameter.Name}: norm {norm}, PyTorch's {parameter.Norm}");
            double[] expected = parameter.Gradient ?? parameter.First;
            double allowed = tolerance * Math.Max(gradient.Max(Math.Abs), scale / 100);
            for (int i = 0; i < expected.Length; i++)
            {
                Assert.True(Math.Abs(expected[i] - gradient[i]) <= allowed, $"{parameter.Name}[{i}] is {gradient[i]}, PyTorch's {expected[i]}");
            }
        }
    }

    [Theory]
    [MemberData(nameof(Runs))]
    public void Logits_over_the_caches_are_pytorchs(string name, string backend, Checkpointing checkpointing)
    {
        _ = checkpointing;
        ModelFixture fixture = ModelFixture.Load(name);
        using TransformerModel model = Entry(name).ForGeneration(16, 1, ModelBackends.Create(backend));
        Fill(model, fixture);

        double tolerance = backend != "reference" ? 1e-4 : name == "geglu-scaled-embedding" ? 1e-6 : 1e-9;
        int token = 0;
        foreach (int[] row in fixture.Inputs)
        {
            // The first seven at once, then one by one: both ways over the caches.
            double[][] logits = [.. model.LogitsOf(row[..7]), .. Enumerable.Range(7, row.Length - 7).SelectMany(t => model.LogitsOf([row[t]], t))];
            foreach (double[] actual in logits)
            {
                double[] expected = fixture.Logits[token++];
                for (int i = 0; i < expected.Length; i++)
                {
                    Assert.Equal(expected[i], actual[i], tolerance);
                }
            }
        }
    }

    private static ModelEntry Entry(string name) =>
        ModelRegistry.TryFind(Classes[name], out ModelEntry? entry) ? entry : throw new InvalidOperationException($"{Classes[name]} is not registered.");

    private static void Fill(TransformerModel model, ModelFixture fixture)
    {
        Assert.Equal(fixture.Parameters.Select(p => p.Name), model.Parameters.Select(model.NameOf).Order(StringComparer.Ordinal));
        for (int number = 0; number < fixture.Parameters.Length; number++)
        {
            model.Backend.Write(model.Named(fixture.Parameters[number].Name).Value, fixture.Values(number));
        }
    }
}
