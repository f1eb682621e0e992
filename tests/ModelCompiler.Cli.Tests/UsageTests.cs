using System.Diagnostics;
using System.Text.Json;
using ModelCompiler.CommandLine.Terminal;
using ModelCompiler.Tests;

namespace ModelCompiler.Cli.Tests;

public class UsageTests
{
    [Theory]
    [InlineData("lsit", "mc does not know 'lsit'")]
    [InlineData("list extra", "extra", "mc list --help")]
    [InlineData("plan", "mc plan needs <recipe>")]
    [InlineData("plan Nothing", "unknown recipe 'Nothing'", "did you mean", "list")]
    [InlineData("inspect Nothing", "unknown recipe 'Nothing'")]
    [InlineData("plan Stories260K --batch 0", "--batch", "at least 1", "'0'")]
    [InlineData("plan Stories260K --batch two", "--batch", "'two'")]
    [InlineData("plan Stories260K --sequence 513", "513", "512")]
    [InlineData("plan Stories260K_Lora --rank 65", "rank 65", "64")]
    [InlineData("plan Stories260K --threads 0", "--threads")]
    [InlineData("plan Stories260K --budget lots", "--budget", "24GiB", "'lots'")]
    [InlineData("plan Stories260K --budget -1GiB", "--budget")]
    [InlineData("plan Stories260K --checkpointing some", "--checkpointing takes none or selective or block or a number of layers", "'some'")]
    [InlineData("plan Stories260K --checkpointing 0", "at least 1 layer apart")]
    [InlineData("plan Stories260K --fit", "--fit needs --budget")]
    [InlineData("plan Stories260K --fit --budget 1GiB --objective best", "--objective takes fastest or sequence or rank", "'best'")]
    [InlineData("plan Stories260K --fit --budget 1GiB --objective rank", "Stories260K has no adapters whose rank could grow")]
    [InlineData("plan Stories260K_Lora --fit --budget 1GiB --estimator gelato", "--estimator, with --fit, takes own", "'gelato'")]
    [InlineData("plan Stories260K_Lora --fit --budget 1GiB --rank 65", "rank 65", "64")]
    [InlineData("plan Stories260K_Lora --fit --budget 1GiB --sequence 513", "513", "512")]
    [InlineData("tune", "mc tune needs <recipe>")]
    [InlineData("tune Stories260K --data rows.jsonl", "--data needs --base")]
    [InlineData("tune Stories260K --report tune.pdf", "--report writes a page", ".html")]
    [InlineData("tune Stories260K --budget lots", "--budget", "24GiB", "'lots'")]
    [InlineData("tune Stories260K --sequence 513", "513", "512")]
    [InlineData("quantize", "mc quantize needs <recipe>")]
    [InlineData("merge Stories260K_Lora --base x --out y", "mc merge needs --adapter")]
    [InlineData("export Stories260K_Lora --base x --adapter y --out ./y/", "--out ./y/ is or holds the folder of --adapter, y")]
    [InlineData("merge Stories260K_Lora --base x --adapter y --out z --rank 4", "--rank is for adapters of nested ranks")]
    [InlineData("export Stories260K_DyLora --base x --adapter y --out z --rank 9", "from 1 to 8", "'9'")]
    [InlineData("quantize Stories260K_QLora --base x", "--out")]
    [InlineData("quantize Stories260K --base x --out y", "Stories260K quantizes no weights", "[Frozen(Storage.NF4)]")]
    [InlineData("quantize Stories260K_QLora --base x --out ./x/", "--out ./x/ is or holds the folder of --base, x")]
    [InlineData("plan Stories260K --optimizer sgd", "--optimizer takes adamw or adamw8bit or paged", "'sgd'")]
    [InlineData("plan Stories260K --estimator crystal-ball", "--estimator takes own or gelato or pytorch")]
    [InlineData("plan SmolLM2_135M --estimator gelato", "that of SmolLM2_135M is tied")]
    [InlineData("plan Falcon_40B --estimator gelato", "Falcon_40B is not a Llama-shaped decoder", "Attention.Norm.Bias")]
    [InlineData("plan Llama2_7B_QaLora --estimator gelato", "not Int4")]
    [InlineData("plan Llama2_7B_Lora --estimator pytorch", "--storage NF4")]
    [InlineData("plan Llama2_7B --estimator pytorch", "LoRA on all seven projections")]
    [InlineData("plan Stories260K --storage Nonsense", "--storage takes Float32")]
    [InlineData("--backend abacus plan Stories260K", "--backend takes cpu or cuda or cuda-float32")]
    [InlineData("--backend torchsharp plan Stories260K", "built without TorchSharp", "TorchBackend")]
    public void Bad_usage_is_one_line_and_exit_2(string line, params string[] words) => Mc.Run(line).AssertRefused(2, words);

    [Fact]
    public void Help_and_version_exit_0()
    {
        Assert.Equal(0, Mc.Run("--help").Code);
        Assert.Contains("--budget", Mc.Run("plan --help").Output, StringComparison.Ordinal);
        Assert.Equal(0, Mc.Run("--version").Code);
    }

    [Fact]
    public async Task Out_of_process_standard_output_is_json_alone()
    {
        var start = new ProcessStartInfo("dotnet", ["run", "-c", "Release", "--project", "src/ModelCompiler.Cli", "--", "list", "--json"])
        {
            WorkingDirectory = TestData.Repository,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using Process process = Process.Start(start)!;
        Task<string> error = process.StandardError.ReadToEndAsync();
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(5));
        string output = await process.StandardOutput.ReadToEndAsync(limit.Token);
        await process.WaitForExitAsync(limit.Token);
        Assert.True(process.ExitCode == 0, output + await error);
        Assert.True(JsonDocument.Parse(output).RootElement.GetProperty("architectures").GetArrayLength() > 0);
    }
}
