using System.Text.Json;
using ModelCompiler.HuggingFace.Checkpoints;
using ModelCompiler.HuggingFace.Weights;
using ModelCompiler.Tests;

namespace ModelCompiler.Cli.Tests;

public class QuantizeTests(TinyBase tiny) : IClassFixture<TinyBase>
{
    private const string Query = "model.layers.0.self_attn.q_proj.weight";

    [Fact]
    public void Writes_a_base_that_computes_what_the_recipe_computes_over_the_unquantized_one()
    {
        string quantized = tiny.NewFolder();
        Outcome outcome = Mc.Run(["quantize", "Stories260K_QLora", "--base", tiny.Base, "--out", quantized, "--json"]);
        Assert.Equal(0, outcome.Code);
        JsonElement json = outcome.Json();
        Assert.Equal(["model.safetensors", "config.json", "tokenizer.json"], json.GetProperty("files").EnumerateArray().Select(f => Path.GetFileName(f.GetString())));
        Assert.Equal(JsonValueKind.Null, json.GetProperty("maxLogitDifference").ValueKind);
        Assert.Equal(JsonValueKind.Null, json.GetProperty("perplexity").ValueKind);
        Assert.Equal(new FileInfo(Path.Combine(quantized, "model.safetensors")).Length, json.GetProperty("bytes").GetInt64());
        Assert.Equal(Logits("Stories260K_QLora", tiny.Base), Logits("Stories260K_QLora", quantized));

        using JsonDocument config = JsonDocument.Parse(File.ReadAllText(Path.Combine(quantized, "config.json")));
        JsonElement method = config.RootElement.GetProperty("quantization_config");
        Assert.Equal("nf4", method.GetProperty("bnb_4bit_quant_type").GetString());
        Assert.True(method.GetProperty("bnb_4bit_use_double_quant").GetBoolean());
        Assert.Equal("lm_head", Assert.Single(method.GetProperty("llm_int8_skip_modules").EnumerateArray()).GetString());
        using Checkpoint checkpoint = Checkpoint.Open(quantized);
        Assert.Equal(
            ["", ".absmax", ".nested_absmax", ".nested_quant_map", ".quant_map", ".quant_state.bitsandbytes__nf4"],
            checkpoint.Names.Where(n => n.StartsWith(Query, StringComparison.Ordinal)).Select(n => n[Query.Length..]));
    }

    [Fact]
    public void Quantizing_what_is_quantized_changes_no_byte()
    {
        (string first, string second) = (tiny.NewFolder(), tiny.NewFolder());
        Assert.Equal(0, Mc.Run(["quantize", "Stories260K_QLora", "--base", tiny.Base, "--out", first]).Code);
        Assert.Equal(0, Mc.Run(["quantize", "Stories260K_QLora", "--base", first, "--out", second]).Code);
        Assert.Equal(File.ReadAllBytes(Path.Combine(first, Checkpoint.FileName)), File.ReadAllBytes(Path.Combine(second, Checkpoint.FileName)));
    }

    [Fact]
    public void A_base_that_is_damaged_is_refused()
    {
        Mc.Run(["quantize", "Stories260K_QLora", "--base", Path.Combine(tiny.Folder, "nowhere"), "--out", tiny.NewFolder()]).AssertRefused(2, "nowhere");
        Mc.Run(["quantize", "Stories260K_QLora", "--base", tiny.Base, "--out", tiny.NewFolder(), "--data", "nothing.jsonl"]).AssertRefused(2, "nothing.jsonl");
    }

    /// <summary>Real weights: 4 bits move the perplexity of a trained model, but not far.</summary>
    [Fact]
    public void Reports_what_quantizing_real_weights_changes()
    {
        TestData.Require("models/stories260K");
        string story = tiny.Write("story.txt", "Once upon a time, there was a little girl named Lily. She loved to play outside in the park. One day, she saw a big dog. The dog was very happy and wanted to play with her.");
        JsonElement json = Mc.Run(["quantize", "Stories260K_QLora", "--base", TestData.PathOf("models/stories260K"), "--out", tiny.NewFolder(), "--data", story, "--json"]).Json();
        double before = json.GetProperty("perplexity").GetProperty("before").GetDouble();
        double after = json.GetProperty("perplexity").GetProperty("after").GetDouble();
        Assert.InRange(before, 1.5, 6);
        Assert.InRange(after / before, 0.97, 1.25);
        Assert.NotEqual(before, after);
        Assert.InRange(json.GetProperty("maxLogitDifference").GetDouble(), 0.1, 6);
    }

    private static float[][] Logits(string recipe, string path) =>
        [.. Mc.Run(["logits", recipe, "--base", path, "--tokens", "1,5,9,200", "--json"]).Json().GetProperty("logits").EnumerateArray().Select(row => row.EnumerateArray().Select(v => v.GetSingle()).ToArray())];
}
