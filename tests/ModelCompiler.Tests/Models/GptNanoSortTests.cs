using System.Runtime.InteropServices;
using System.Text.Json;
using ModelCompiler.Backends;
using ModelCompiler.Generation;
using ModelCompiler.Models;
using ModelCompiler.Planning;
using ModelCompiler.Tensors;

namespace ModelCompiler.Tests.Models;

/// <summary>A trained GPT-2-like model against the activations that PyTorch computed of it, and at its task.</summary>
public class GptNanoSortTests
{
    private const string Folder = "models/gpt-nano-sort";

    /// <summary>Ours and minGPT's name of each part of a layer.</summary>
    private static readonly (string Ours, string Theirs)[] LayerParts =
    [
        ("input_layernorm", "ln_1"), ("self_attn.o_proj", "attn.c_proj"), ("post_attention_layernorm", "ln_2"), ("mlp.up_proj", "mlp.c_fc"), ("mlp.down_proj", "mlp.c_proj"),
    ];

    public static TheoryData<string> Backends => ModelBackends.Names;

    [Theory]
    [MemberData(nameof(Backends))]
    public void Outputs_of_every_block_are_pytorchs(string backend)
    {
        TestData.Require(Folder);
        JsonElement partials = Read("gpt-nano-sort-t0-partials.json");
        int[] ids = [.. Values(partials, "idx").Select(v => (int)v)];
        using var model = Model.ForTraining<GptNanoSort>(new TrainingPlan { Batch = 3, Sequence = 11 }, ModelBackends.Create(backend));
        Load(model);

        model.BeginStep(new Step(3, 11), ids, targets: ids, training: false);
        model.Forward();

        for (int layer = 0; layer < 3; layer++)
        {
            // A layer's output is the kept input of the next.
            Tensor output = layer == 2 ? model.Hidden : model.Hidden with { Offset = model.Plan.Stack.Forward[layer + 1].Input };
            AssertClose(Values(partials, $"block{layer}"), model.Values(output), 1e-4);
        }
    }

    [Theory]
    [MemberData(nameof(Backends))]
    public void Logits_are_pytorchs(string backend)
    {
        TestData.Require(Folder);
        JsonElement partials = Read("gpt-nano-sort-t0-partials.json");
        int[] ids = [.. Values(partials, "idx").Select(v => (int)v)];
        using var model = Model.ForGeneration<GptNanoSort>(11, backend: ModelBackends.Create(backend));
        Load(model);

        double[] logits = [.. Enumerable.Range(0, 3).SelectMany(row => model.LogitsOf(ids[(row * 11)..(row * 11 + 11)])).SelectMany(r => r)];

        AssertClose(Values(partials, "lm_head"), logits, 1e-4);
    }

    [Fact]
    public void It_sorts_every_input()
    {
        TestData.Require(Folder);
        using var model = Model.ForGeneration<GptNanoSort>(11, backend: ModelBackends.Create("cpu-1"));
        Load(model);
        for (int number = 0; number < 729; number++)
        {
            int[] input = [.. Enumerable.Range(0, 6).Select(digit => number / (int)Math.Pow(3, digit) % 3)];
            var generator = new TextGenerator(model);

            var result = generator.Generate(input, new GenerationOptions { MaximumTokens = 6 });

            Assert.Equal(input.Order(), result.Tokens);
        }
    }

    private static void Load(TransformerModel model)
    {
        JsonElement file = Read("gpt-nano-sort-model.json");
        Write(model, "model.embed_tokens.weight", Values(file, "transformer.wte.weight"));
        Write(model, "model.embed_positions.weight", Values(file, "transformer.wpe.weight"));
        Write(model, "lm_head.weight", Values(file, "lm_head.weight"));
        foreach (string kind in new[] { "weight", "bias" })
        {
            Write(model, $"model.norm.{kind}", Values(file, $"transformer.ln_f.{kind}"));
            for (int layer = 0; layer < 3; layer++)
            {
                foreach ((string ours, string theirs) in LayerParts)
                {
                    Write(model, $"model.layers.{layer}.{ours}.{kind}", Values(file, $"transformer.h.{layer}.{theirs}.{kind}"));
                }

                double[] fused = Values(file, $"transformer.h.{layer}.attn.c_attn.{kind}");
                foreach ((int index, string name) in new[] { "q", "k", "v" }.Index())
                {
                    int length = fused.Length / 3;
                    Write(model, $"model.layers.{layer}.self_attn.{name}_proj.{kind}", fused[(index * length)..((index + 1) * length)]);
                }
            }
        }

    }

    private static void Write(TransformerModel model, string name, double[] values) => model.Backend.Write(model.Named(name).Value, values);

    private static double[] Values(JsonElement file, string name) =>
        [.. MemoryMarshal.Cast<byte, float>(file.GetProperty(name).GetProperty("data").GetBytesFromBase64()).ToArray().Select(v => (double)v)];

    private static JsonElement Read(string name)
    {
        using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(TestData.PathOf(Path.Combine(Folder, name))));
        return document.RootElement.Clone();
    }

    private static void AssertClose(double[] expected, double[] actual, double tolerance)
    {
        Assert.Equal(expected.Length, actual.Length);
        Assert.All(expected.Zip(actual), pair => Assert.Equal(pair.First, pair.Second, tolerance));
    }
}
