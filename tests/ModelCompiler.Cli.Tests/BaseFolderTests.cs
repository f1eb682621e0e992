using System.Text.Json.Nodes;
using ModelCompiler.HuggingFace.Checkpoints;
using ModelCompiler.HuggingFace.Weights;

namespace ModelCompiler.Cli.Tests;

/// <summary>What commands ask of a base folder's config.json, and what they leave in a folder that is a base again.</summary>
public class BaseFolderTests(TinyBase tiny) : IClassFixture<TinyBase>
{
    [Fact]
    public void A_key_that_is_not_computed_is_refused_by_every_command_and_can_be_ignored()
    {
        string @base = Changed(config => (config["model_type"], config["logits_scaling"]) = ("granite", 16));
        string[][] commands =
        [
            ["evaluate", "Stories260K", "--data", tiny.Data, "--sequence", "64"],
            ["logits", "Stories260K", "--tokens", "1,2"],
            ["generate", "Stories260K", "--prompt", "say", "--max-tokens", "1"],
            ["train", "Stories260K_Lora", "--data", tiny.Data, "--out", tiny.NewFolder(), "--steps", "1", "--sequence", "64"],
            ["compare", "--data", tiny.Data, "--methods", "Stories260K_Lora", "--steps", "1", "--sequence", "64"],
            ["quantize", "Stories260K_QLora", "--out", tiny.NewFolder()],
            ["plan", "Stories260K_LamdaPlusPlus"],
        ];
        foreach (string[] command in commands)
        {
            string[] whole = [.. command, "--base", @base, "--threads", "1"];
            Outcome refused = Mc.Run(whole);
            refused.AssertRefused(2, "config.json", "'model_type' is 'granite'", "'logits_scaling' is 16", "--ignore-config");
            Outcome one = Mc.Run([.. whole, "--ignore-config", "model_type"]);
            Assert.True(one.Code == 2, command[0]);
            Outcome ignored = Mc.Run([.. whole, "--ignore-config", "model_type", "--ignore-config", "logits_scaling"]);
            Assert.True(ignored.Code == 0, $"{command[0]}: {ignored.Error}");
        }
    }

    [Fact]
    public void Merging_keeps_stop_tokens_context_and_texts()
    {
        string @base = Changed(config => (config["eos_token_id"], config["pad_token_id"], config["max_position_embeddings"]) = (new JsonArray(5, 7), 0, 131072));
        File.WriteAllText(Path.Combine(@base, "generation_config.json"), """{"eos_token_id": [5, 7]}""");
        File.WriteAllText(Path.Combine(@base, "chat_template.jinja"), "{{ messages }}");
        string adapter = tiny.NewFolder();
        Assert.Equal(0, Mc.Run(["train", "Stories260K_Lora", "--base", @base, "--data", tiny.Data, "--out", adapter, "--steps", "1", "--sequence", "64"]).Code);
        string merged = tiny.NewFolder();

        Assert.Equal(0, Mc.Run(["merge", "Stories260K_Lora", "--base", @base, "--adapter", adapter, "--out", merged]).Code);

        Assert.Equal(["chat_template.jinja", "config.json", "generation_config.json", "model.safetensors", "tokenizer.json"], Directory.GetFiles(merged).Select(Path.GetFileName).Order());
        Assert.All(["chat_template.jinja", "config.json", "generation_config.json", "tokenizer.json"], file =>
            Assert.Equal(File.ReadAllBytes(Path.Combine(@base, file)), File.ReadAllBytes(Path.Combine(merged, file))));
    }

    [Fact]
    public void What_full_fine_tuning_leaves_is_a_base()
    {
        string @base = Changed(config => config["eos_token_id"] = new JsonArray(5, 7));
        File.WriteAllText(Path.Combine(@base, "generation_config.json"), """{"eos_token_id": [5, 7]}""");
        string output = tiny.NewFolder();
        Outcome trained = Mc.Run(["train", "Stories260K", "--base", @base, "--data", tiny.Data, "--out", output, "--steps", "2", "--sequence", "64", "--learning-rate", "1e-3"]);
        Assert.True(trained.Code == 0, trained.Error);

        Assert.Equal(File.ReadAllBytes(Path.Combine(@base, "config.json")), File.ReadAllBytes(Path.Combine(output, "config.json")));
        Assert.True(File.Exists(Path.Combine(output, "generation_config.json")));
        Outcome generated = Mc.Run(["generate", "Stories260K", "--base", output, "--prompt", "say red", "--max-tokens", "3"]);
        Assert.True(generated.Code == 0, generated.Error);
        Assert.NotEqual(File.ReadAllBytes(Path.Combine(@base, Checkpoint.FileName)), File.ReadAllBytes(Path.Combine(output, Checkpoint.FileName)));
    }

    [Fact]
    public void A_folder_with_the_shards_of_another_checkpoint_is_not_written_into()
    {
        string output = Directory.CreateDirectory(tiny.NewFolder()).FullName;
        File.WriteAllText(Path.Combine(output, Checkpoint.IndexName), """{"weight_map": {}}""");

        Mc.Run(["quantize", "Stories260K_QLora", "--base", tiny.Base, "--out", output]).AssertRefused(2, Checkpoint.IndexName, "name another folder");
        Mc.Run(["train", "Stories260K", "--base", tiny.Base, "--data", tiny.Data, "--out", output, "--steps", "1", "--sequence", "64"]).AssertRefused(2, Checkpoint.IndexName);
        Assert.Single(Directory.GetFiles(output));
    }

    private string Changed(Action<JsonObject> change)
    {
        string copy = tiny.CopyBase();
        string path = Path.Combine(copy, "config.json");
        JsonObject config = JsonNode.Parse(File.ReadAllText(path))!.AsObject();
        change(config);
        File.WriteAllText(path, config.ToJsonString());
        return copy;
    }
}
