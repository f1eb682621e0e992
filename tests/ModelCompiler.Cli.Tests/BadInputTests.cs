using ModelCompiler.HuggingFace.Checkpoints;
using ModelCompiler.HuggingFace.Weights;
using ModelCompiler.Safetensors;

namespace ModelCompiler.Cli.Tests;

public class BadInputTests(TinyBase tiny) : IClassFixture<TinyBase>
{
    [Fact]
    public void A_base_that_is_not_there() =>
        Train(basePath: Path.Combine(tiny.Folder, "nowhere")).AssertRefused(2, "nowhere");

    [Fact]
    public void A_truncated_safetensors_file()
    {
        string copy = tiny.CopyBase();
        using (FileStream file = File.OpenWrite(Path.Combine(copy, Checkpoint.FileName)))
        {
            file.SetLength(file.Length - 100);
        }

        Train(basePath: copy).AssertRefused(2, Checkpoint.FileName);
    }

    [Fact]
    public void A_safetensors_file_without_one_tensor()
    {
        string copy = tiny.CopyBase();
        Rewrite(copy, tensor => tensor.Name == "model.norm.weight" ? null : tensor);
        Train(basePath: copy).AssertRefused(2, "model.norm.weight", "missing");
    }

    [Fact]
    public void A_weight_that_is_not_a_number()
    {
        string copy = tiny.CopyBase();
        Rewrite(copy, tensor => tensor.Name == "model.norm.weight"
            ? TensorSource.FromArray(tensor.Name, [.. Enumerable.Repeat(float.NaN, 64)], SafetensorsType.F32, 64)
            : tensor);
        Train(basePath: copy).AssertRefused(2, "model.norm.weight");
    }

    [Fact]
    public void A_configuration_of_another_model()
    {
        string copy = tiny.CopyBase();
        string path = Path.Combine(copy, "config.json");
        File.WriteAllText(path, File.ReadAllText(path).Replace("\"num_hidden_layers\": 5", "\"num_hidden_layers\": 6", StringComparison.Ordinal));
        Train(basePath: copy).AssertRefused(2, "num_hidden_layers", "5", "6");
    }

    [Fact]
    public void A_base_without_tokenizer()
    {
        string copy = tiny.CopyBase();
        File.Delete(Path.Combine(copy, "tokenizer.json"));
        Train(basePath: copy).AssertRefused(2, "tokenizer");
    }

    [Fact]
    public void A_base_of_another_architecture() =>
        Mc.Run(["logits", "GptNanoSort", "--base", tiny.Base, "--tokens", "1"]).AssertRefused(2, "config.json");

    [Theory]
    [InlineData("empty.jsonl", "", "no data")]
    [InlineData("broken.jsonl", "{\"text\": \"fine\"}\n{\"text\": \n", "line 2", "JSON")]
    [InlineData("keys.jsonl", "{\"prompt\": \"a\"}\n", "line 1", "completion")]
    [InlineData("table.csv", "a,b\n", ".jsonl")]
    public void Unusable_data(string name, string text, params string[] words) =>
        Train(data: tiny.Write(name, text)).AssertRefused(2, [name, .. words]);

    [Fact]
    public void Data_that_is_not_there() => Train(data: Path.Combine(tiny.Folder, "none.jsonl")).AssertRefused(2, "none.jsonl");

    [Fact]
    public void A_row_longer_than_the_sequence_is_dropped_refused_or_truncated()
    {
        string words = string.Concat(Enumerable.Repeat("red green ", 60));
        string data = tiny.Write("long.jsonl", $"{{\"prompt\": \"a \", \"completion\": \"b\"}}\n{{\"prompt\": \"a \", \"completion\": \"{words}\"}}\n");
        Train(data: data, more: "--strict").AssertRefused(2, "long.jsonl, line 2", "64");
        Train(data: data, more: ["--max-dropped", "0"]).AssertRefused(2, "long.jsonl, line 2", "64");
        Assert.Equal(0, Train(data: data).Code);
        Assert.Equal(0, Train(data: data, more: "--truncate").Code);
    }

    [Fact]
    public void Output_that_cannot_be_written()
    {
        string file = tiny.Write("a-file", "x");
        Outcome outcome = Train(output: Path.Combine(file, "below"));
        outcome.AssertRefused(1, "cannot write", "a-file");
        Assert.Equal("x", File.ReadAllText(file));
    }

    [Fact]
    public void A_refused_run_leaves_no_output()
    {
        string output = tiny.NewFolder();
        Train(output: output, data: tiny.Write("nothing.jsonl", "\n")).AssertRefused(2, "nothing.jsonl");
        Assert.False(Directory.Exists(output));
    }

    [Theory]
    [InlineData("1,x", "'x'")]
    [InlineData("1,,2", "''")]
    [InlineData("512", "512", "vocabulary")]
    [InlineData("-1", "'-1'")]
    public void Unusable_tokens(string tokens, params string[] words) =>
        Mc.Run(["logits", "Stories260K", "--base", tiny.Base, "--tokens=" + tokens]).AssertRefused(2, words);

    [Fact]
    public void More_tokens_than_the_context() =>
        Mc.Run(["logits", "Stories260K", "--base", tiny.Base, "--tokens", string.Join(',', Enumerable.Repeat(1, 513))]).AssertRefused(2, "513", "512");

    [Fact]
    public void An_adapter_that_is_not_there() =>
        Mc.Run(["generate", "Stories260K_Lora", "--base", tiny.Base, "--adapter", tiny.NewFolder(), "--prompt", "a"]).AssertRefused(2, "--adapter", "no such folder");

    [Fact]
    public void An_adapter_for_an_architecture() =>
        Mc.Run(["generate", "Stories260K", "--base", tiny.Base, "--adapter", tiny.Folder, "--prompt", "a"]).AssertRefused(2, "no adapters", "recipe");

    [Fact]
    public void A_prompt_longer_than_the_context() =>
        Mc.Run(["generate", "Stories260K", "--base", tiny.Base, "--prompt", string.Concat(Enumerable.Repeat("7 ", 600))]).AssertRefused(2, "512");

    [Theory]
    [InlineData("--learning-rate", "0")]
    [InlineData("--learning-rate", "fast")]
    [InlineData("--steps", "0")]
    [InlineData("--warmup-steps", "5", "warm-up")]
    [InlineData("--schedule", "stairs")]
    [InlineData("--rank", "65")]
    [InlineData("--sequence", "513")]
    [InlineData("--max-dropped", "some", "5%")]
    public void Options_out_of_range(string option, string value, string? word = null) => Train(more: [option, value]).AssertRefused(2, word ?? value);

    [Fact]
    public void All_ranks_are_of_nested_adapters_only() =>
        Mc.Run(["evaluate", "Stories260K_Lora", "--base", tiny.Base, "--data", tiny.Data, "--rank", "all"]).AssertRefused(2, "nested ranks");

    private Outcome Train(string? basePath = null, string? data = null, string? output = null, params string[] more)
    {
        List<string> line = ["train", "Stories260K_Lora", "--base", basePath ?? tiny.Base, "--data", data ?? tiny.Data, "--out", output ?? tiny.NewFolder(), "--threads", "1"];
        foreach ((string option, string value) in (ReadOnlySpan<(string, string)>)[("--steps", "1"), ("--sequence", "64")])
        {
            if (!more.Contains(option))
            {
                line.AddRange([option, value]);
            }
        }

        Outcome outcome = Mc.Run([.. line, .. more]);
        return outcome.Code == 0 ? outcome : outcome with { Error = string.Concat(outcome.Error.Split('\n').Where(l => l.StartsWith("mc: ", StringComparison.Ordinal))) };
    }

    private static void Rewrite(string folder, Func<TensorSource, TensorSource?> change)
    {
        string path = Path.Combine(folder, Checkpoint.FileName);
        List<TensorSource> tensors = [];
        using (Checkpoint checkpoint = Checkpoint.Open(path))
        {
            tensors.AddRange(checkpoint.Names
                .Select(name => TensorSource.FromArray(name, checkpoint.Read(name), SafetensorsType.F32, [.. checkpoint.Shape(name)]))
                .Select(change).OfType<TensorSource>());
        }

        SafetensorsWriter.Write(path, tensors);
    }
}
