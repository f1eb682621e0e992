using System.Text.Json;
using ModelCompiler.CommandLine.Quickstart.Documentation;
using ModelCompiler.Data;
using ModelCompiler.HuggingFace.Checkpoints;
using ModelCompiler.HuggingFace.Weights;

namespace ModelCompiler.Cli.Tests;

/// <summary>The quickstart in small: a base pretrained for two steps, tuned for three.</summary>
public class QuickstartTests(TinyBase tiny) : IClassFixture<TinyBase>
{
    [Fact]
    public void Pretrain_then_quickstart_gives_everything_it_promises()
    {
        RequireDocumentation();
        string basePath = tiny.NewFolder();
        Outcome pretrained = Mc.Run(["pretrain", "--out", basePath, "--steps", "2", "--batch", "1", "--members", "8000", "--json"]);
        Assert.True(pretrained.Code == 0, pretrained.Error);
        Assert.True(new FileInfo(Path.Combine(basePath, Checkpoint.FileName)).Length <= 8_000_000);
        Assert.Contains("--steps 2 ", File.ReadAllText(Path.Combine(basePath, "README.md")), StringComparison.Ordinal);
        double card = pretrained.Json().GetProperty("bitsPerByte").GetDouble();
        Assert.InRange(card, 0.5, 8);

        string output = tiny.NewFolder();
        Outcome outcome = Mc.Run(["quickstart", "--base", basePath, "--out", output, "--steps", "3", "--held-out", "40", "--json"]);
        Assert.True(outcome.Code == 0, outcome.Error);
        JsonElement json = outcome.Json();
        Assert.Equal("DocsWriter_Lora", json.GetProperty("recipe").GetString());
        JsonElement parameters = json.GetProperty("parameters");

        // Rank 32 on 4 projections of 224 x 224 and 3 of 224 x 576 in each of 5 layers.
        Assert.Equal(5 * 32 * ((4 * 448) + (3 * 800)), parameters.GetProperty("trainable").GetInt64());
        Assert.Equal(3_858_848 + parameters.GetProperty("trainable").GetInt64(), parameters.GetProperty("total").GetInt64());
        Assert.True(json.GetProperty("tokens").GetInt64() > 3 * 16 * 5);
        Assert.True(json.GetProperty("loss").GetProperty("after").GetDouble() < json.GetProperty("loss").GetProperty("before").GetDouble());
        JsonElement bits = json.GetProperty("bitsPerByte");
        Assert.All(["prose", "before", "after"], name => Assert.InRange(bits.GetProperty(name).GetDouble(), 0.5, 8));
        Assert.True(json.GetProperty("memory").GetProperty("allocated").GetInt64() >= json.GetProperty("memory").GetProperty("predicted").GetInt64());
        Assert.Equal(Path.GetFullPath(output), json.GetProperty("adapterPath").GetString());
        Assert.True(File.Exists(Path.Combine(output, "adapter_model.safetensors")));
        Assert.All(json.GetProperty("generatedFiles").EnumerateArray(), file => Assert.True(File.Exists(file.GetString())));
        Assert.Equal(3, json.GetProperty("samples").GetArrayLength());
        Assert.All(json.GetProperty("samples").EnumerateArray(), sample =>
            Assert.Equal(["prompt", "before", "after", "reference"], sample.EnumerateObject().Select(p => p.Name)));
    }

    [Fact]
    public void Without_its_base_model_the_quickstart_says_where_it_looked() =>
        Mc.Run(["quickstart", "--base", tiny.Folder]).AssertRefused(2, tiny.Folder, "--base");

    /// <summary>Skips the test where the SDK carries no reference documentation.</summary>
    private static void RequireDocumentation()
    {
        try
        {
            Assert.SkipWhen(ReferenceDocumentation.ReadMembers().Count == 0, "The SDK carries no reference documentation.");
        }
        catch (DatasetException error)
        {
            Assert.Skip(error.Message);
        }
    }
}
