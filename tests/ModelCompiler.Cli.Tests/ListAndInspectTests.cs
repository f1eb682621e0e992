using System.Text.Json;
using ModelCompiler.CommandLine.Terminal;
using ModelCompiler.Models;

namespace ModelCompiler.Cli.Tests;

public class ListAndInspectTests
{
    [Fact]
    public void List_names_every_model_of_the_program_with_its_size()
    {
        Outcome outcome = Mc.Run("list --json");
        JsonElement json = outcome.Json();
        Assert.Equal(0, outcome.Code);
        Assert.Empty(outcome.Error);
        Assert.Equal(
            ModelRegistry.All.Select(m => m.Tables.Name).Order(),
            json.GetProperty("architectures").EnumerateArray().Concat(json.GetProperty("recipes").EnumerateArray())
                .Select(e => e.GetProperty("name").GetString()!).Order());

        // The published sizes of these models.
        Assert.Equal(260_032, Named(json, "architectures", "Stories260K").GetProperty("parameters").GetInt64());
        Assert.Equal(6_738_415_616, Named(json, "architectures", "Llama2_7B").GetProperty("parameters").GetInt64());
        Assert.Equal(65_285_660_672, Named(json, "architectures", "Llama_65B").GetProperty("parameters").GetInt64());
        Assert.Equal(41_303_293_952, Named(json, "architectures", "Falcon_40B").GetProperty("parameters").GetInt64());
        JsonElement recipe = Named(json, "recipes", "Llama2_7B_Lora");
        Assert.Equal("Llama2_7B", recipe.GetProperty("architecture").GetString());
        Assert.Equal("LoRA", recipe.GetProperty("adapter").GetString());
        Assert.Equal("BFloat16", recipe.GetProperty("storage").GetString());

        // LoRA: rank · (in + out) of every linear; 4 of 4096 x 4096, 3 of 4096 x 11008, 32 layers.
        Assert.Equal(32L * 16 * ((4 * 8192) + (3 * (4096 + 11008))), recipe.GetProperty("trainable").GetInt64());
    }

    [Fact]
    public void List_for_people_has_the_same_names()
    {
        Outcome outcome = Mc.Run("list");
        Assert.Equal(0, outcome.Code);
        Assert.All(ModelRegistry.All, m => Assert.Contains(m.Tables.Name, outcome.Output, StringComparison.Ordinal));
    }

    [Fact]
    public void Inspect_gives_every_tensor_slot_and_generated_file()
    {
        Outcome outcome = Mc.Run("inspect stories260k_lora --json");
        JsonElement json = outcome.Json();
        Assert.Equal(0, outcome.Code);
        Dictionary<string, JsonElement> tensors = json.GetProperty("tensors").EnumerateArray().ToDictionary(t => t.GetProperty("name").GetString()!);

        // Embedding, final norm, 5 x (2 norms + 7 linears), and A and B of each linear; the head is tied.
        Assert.Equal(2 + (5 * 9) + (5 * 14), tensors.Count);
        Assert.Equal([172, 64], Shape(tensors["Layers[4].FeedForward.Up.Weight"]));
        Assert.Equal([64], Shape(tensors["FinalNorm.Weight"]));
        Assert.False(tensors["FinalNorm.Weight"].GetProperty("trainable").GetBoolean());
        Assert.Equal([8, 172], Shape(tensors["Layers[0].FeedForward.Down.Adapter.A"]));
        Assert.True(tensors["Layers[0].FeedForward.Down.Adapter.A"].GetProperty("trainable").GetBoolean());
        Assert.Equal("model.layers.4.mlp.up_proj.weight", tensors["Layers[4].FeedForward.Up.Weight"].GetProperty("tensor").GetString());
        Assert.Equal("Float32", tensors["FinalNorm.Weight"].GetProperty("dtype").GetString());
        Assert.Equal(7, json.GetProperty("slots").GetArrayLength());
        string[] files = [.. json.GetProperty("files").EnumerateArray().Select(f => f.GetString()!)];
        Assert.All(files, file => Assert.True(File.Exists(file), file));
        Assert.Contains(files, file => file.EndsWith("Stories260K_Lora.Backward.g.cs", StringComparison.Ordinal));
        Assert.DoesNotContain(files, file => file.Contains("Stories260K.", StringComparison.Ordinal));
    }

    [Fact]
    public void Tensor_sizes_add_up_to_the_parameter_counts()
    {
        foreach (string name in ModelRegistry.All.Select(m => m.Tables.Name).DefaultIfEmpty("Stories260K").ToArray())
        {
            JsonElement json = Mc.Run($"inspect {name} --json").Json();
            long Sum(bool trainable) => json.GetProperty("tensors").EnumerateArray()
                .Where(t => !trainable || t.GetProperty("trainable").GetBoolean())
                .Sum(t => Shape(t).Aggregate(1L, (product, side) => product * side));
            Assert.Equal(json.GetProperty("parameters").GetInt64(), Sum(trainable: false));
            Assert.Equal(json.GetProperty("trainable").GetInt64(), Sum(trainable: true));
        }
    }

    private static JsonElement Named(JsonElement json, string list, string name) =>
        json.GetProperty(list).EnumerateArray().Single(e => e.GetProperty("name").GetString() == name);

    private static int[] Shape(JsonElement tensor) => [.. tensor.GetProperty("shape").EnumerateArray().Select(s => s.GetInt32())];
}
