using System.Text.Json;
using ModelCompiler.Adapters;
using ModelCompiler.Backends.Cpu;
using ModelCompiler.HuggingFace.Checkpoints;
using ModelCompiler.HuggingFace.Peft;
using ModelCompiler.HuggingFace.Weights;
using ModelCompiler.Models;
using ModelCompiler.Safetensors;

namespace ModelCompiler.Cli.Tests;

/// <summary>mc merge and mc export over adapters that were trained a few steps, so that every matrix is other than it started.</summary>
public class ConversionTests(TinyBase tiny) : IClassFixture<TinyBase>
{
    [Theory]
    [InlineData("Stories260K_Lora", 1e-4)]
    [InlineData("Stories260K_Dora", 1e-4)]
    [InlineData("Stories260K_QLora", 1e-4)]
    [InlineData("Stories260K_QaLora", 1e-4)]
    [InlineData("Stories260K_Lamda", 1e-4)]
    public void A_merged_base_computes_without_the_adapter_what_it_did_with_it(string recipe, double tolerance)
    {
        string adapter = Trained(recipe);
        string merged = tiny.NewFolder();
        JsonElement json = Mc.Run(["merge", recipe, "--base", tiny.Base, "--adapter", adapter, "--out", merged, "--data", tiny.Data, "--json"]).Json();

        Assert.Equal(["model.safetensors", "config.json", "tokenizer.json"], json.GetProperty("files").EnumerateArray().Select(f => Path.GetFileName(f.GetString())));
        Assert.InRange(json.GetProperty("maxLogitDifference").GetDouble(), 0, tolerance);
        JsonElement perplexity = json.GetProperty("perplexity");
        Assert.Equal(perplexity.GetProperty("before").GetDouble(), perplexity.GetProperty("after").GetDouble(), perplexity.GetProperty("before").GetDouble() * 1e-4);
        Assert.InRange(Apart(Logits(recipe, tiny.Base, adapter), Logits("Stories260K", merged, null)), 0, tolerance);
        Assert.True(Apart(Logits(recipe, tiny.Base, adapter), Logits("Stories260K", tiny.Base, null)) > 10 * tolerance);
    }

    [Theory]
    [InlineData("Stories260K_L1ra")]
    [InlineData("Stories260K_AdaLora")]
    [InlineData("Stories260K_QaLora")]
    public void An_exported_adapter_is_lora_that_computes_what_the_method_does(string recipe)
    {
        string exported = tiny.NewFolder();
        JsonElement json = Mc.Run(["export", recipe, "--base", tiny.Base, "--adapter", Trained(recipe), "--out", exported, "--json"]).Json();
        Assert.InRange(json.GetProperty("maxLogitDifference").GetDouble(), 0, 1e-4);
        Assert.Equal(JsonValueKind.Null, json.GetProperty("perplexity").ValueKind);
        Assert.Equal(["adapter_config.json", "adapter_model.safetensors", "adapter_state.safetensors"], json.GetProperty("files").EnumerateArray().Select(f => Path.GetFileName(f.GetString())));
    }

    [Fact]
    public void Nested_adapters_are_exported_at_the_rank_asked_for()
    {
        string adapter = Trained("Stories260K_DyLora");
        string exported = tiny.NewFolder();
        JsonElement json = Mc.Run(["export", "Stories260K_DyLora", "--base", tiny.Base, "--adapter", adapter, "--out", exported, "--rank", "3", "--json"]).Json();
        Assert.InRange(json.GetProperty("maxLogitDifference").GetDouble(), 0, 1e-4);
        Assert.All(PeftAdapter.Load(exported).Modules.Values, module => Assert.Equal(3, module.Rank));
    }

    [Fact]
    public void Export_reports_what_merge_does_where_matrices_are_larger_than_a_block()
    {
        (string @base, string adapter) = (tiny.NewFolder(), tiny.NewFolder());
        using (var model = Model.ForGeneration<DocsWriter_Lora>(4, backend: new CpuBackend(1)))
        {
            Initialization.All(model, seed: 2);
            foreach (AdapterState state in model.Adapters)
            {
                Initialization.Normal(model, state.Parameters[1], seed: 3, deviation: 0.01);
            }

            BaseWeights.Save(model, @base);
            AdapterFiles.Save(model, adapter);
        }

        string[] rest = ["DocsWriter_Lora", "--base", @base, "--adapter", adapter, "--json", "--out"];
        double exported = Mc.Run(["export", .. rest, tiny.NewFolder()]).Json().GetProperty("maxLogitDifference").GetDouble();
        double merged = Mc.Run(["merge", .. rest, tiny.NewFolder(), "--type", "F32"]).Json().GetProperty("maxLogitDifference").GetDouble();
        Assert.Equal(merged, exported);
        Assert.InRange(exported, 1e-9, 1e-4);
    }

    [Fact]
    public void The_type_of_the_weights_can_be_chosen()
    {
        string merged = tiny.NewFolder();
        Assert.Equal(0, Mc.Run(["merge", "Stories260K_Lora", "--base", tiny.Base, "--adapter", Trained("Stories260K_Lora"), "--out", merged, "--type", "BF16"]).Code);
        using Checkpoint checkpoint = Checkpoint.Open(merged);
        Assert.Equal(SafetensorsType.BF16, checkpoint.Entry("model.embed_tokens.weight").Type);
    }

    [Fact]
    public void An_adapter_of_another_recipe_is_refused_and_nothing_is_written()
    {
        string output = tiny.NewFolder();
        Mc.Run(["merge", "Stories260K_Dora", "--base", tiny.Base, "--adapter", Trained("Stories260K_Lora"), "--out", output]).AssertRefused(2, "Stories260K_Dora");
        Assert.False(Directory.Exists(output));
    }

    private string Trained(string recipe)
    {
        string output = tiny.NewFolder();
        string rate = recipe.EndsWith("Lora", StringComparison.Ordinal) ? "3e-3" : "1e-2";
        Assert.Equal(0, Mc.Run(["train", recipe, "--base", tiny.Base, "--data", tiny.Data, "--out", output, "--steps", "6", "--batch", "4", "--sequence", "64", "--learning-rate", rate]).Code);
        return output;
    }

    private static double Apart(float[] a, float[] b) => a.Zip(b).Max(pair => Math.Abs((double)pair.First - pair.Second));

    private static float[] Logits(string recipe, string path, string? adapter) =>
        [.. Mc.Run([.. new[] { "logits", recipe, "--base", path, "--tokens", "1,5,9,200", "--json" }, .. adapter is null ? Array.Empty<string>() : ["--adapter", adapter]])
            .Json().GetProperty("logits").EnumerateArray().SelectMany(row => row.EnumerateArray().Select(v => v.GetSingle()))];
}
