using System.Diagnostics;
using ModelCompiler.Files;
using ModelCompiler.Tests;

namespace ModelCompiler.Cli.Tests;

/// <summary>Nothing of the user's is overwritten, by any command that writes a folder.</summary>
public class OutputFolderTests(TinyBase tiny) : IClassFixture<TinyBase>
{
    public static TheoryData<string> Writers =>
    [
        "train Stories260K --data DATA --steps 1 --sequence 64",
        "train Stories260K_Lora --data DATA --steps 1 --sequence 64",
        "quantize Stories260K_QLora",
        "merge Stories260K_Lora --adapter ADAPTER",
        "export Stories260K_Lora --adapter ADAPTER",
    ];

    [Theory]
    [MemberData(nameof(Writers))]
    public void A_folder_that_is_read_is_not_written_whatever_it_is_called(string command)
    {
        string above = Directory.CreateDirectory(tiny.NewFolder()).FullName;
        string copy = Path.Combine(above, "base");
        Directory.Move(tiny.CopyBase(), copy);
        string link = Path.Combine(above, "link");
        Directory.CreateSymbolicLink(link, copy);
        Dictionary<string, byte[]> before = Contents(copy);
        foreach (string output in (string[])[copy, copy + "/", Path.Combine(copy, ".", "x", ".."), link, Path.Combine(link, "..", "base"), above])
        {
            Run(command, copy, output).AssertRefused(2, "--out", "--base", copy);
        }

        Run(command, link, copy).AssertRefused(2, "--out", "--base");
        Dictionary<string, byte[]> after = Contents(copy);
        Assert.Equal(before.Keys.Order(StringComparer.Ordinal), after.Keys.Order(StringComparer.Ordinal));
        Assert.All(before, file => Assert.Equal(file.Value, after[file.Key]));
    }

    [Theory]
    [MemberData(nameof(Writers))]
    public void A_folder_that_another_run_writes_is_refused(string command)
    {
        string output = tiny.NewFolder();
        using FolderLock taken = FolderLock.Take(output);
        Run(command, tiny.Base, output).AssertRefused(2, "is in use by process " + Environment.ProcessId.ToString(System.Globalization.CultureInfo.InvariantCulture), "since");
    }

    [Theory]
    [InlineData("0.5.5m")]
    [InlineData("m")]
    [InlineData("-1")]
    [InlineData("0m")]
    [InlineData("2h")]
    [InlineData("")]
    public void Save_every_takes_steps_or_minutes(string text) =>
        Mc.Run(["train", "Stories260K", "--base", tiny.Base, "--data", tiny.Data, "--out", tiny.NewFolder(), "--save-every", text]).AssertRefused(2, "--save-every takes");

    [Theory]
    [InlineData("1")]
    [InlineData("10m")]
    [InlineData("0.5min")]
    [InlineData("3 minutes")]
    [InlineData("0")]
    public void Save_every_steps_and_minutes_are_understood(string text) => Assert.Equal(
        0, Mc.Run(["train", "Stories260K_Lora", "--base", tiny.Base, "--data", tiny.Data, "--out", tiny.NewFolder(), "--steps", "1", "--sequence", "64", "--save-every", text]).Code);

    [Fact]
    public async Task A_closed_terminal_saves_the_run()
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        string output = tiny.NewFolder();
        string program = Path.Combine(AppContext.BaseDirectory.Replace("tests/ModelCompiler.Cli.Tests", "src/ModelCompiler.Cli", StringComparison.Ordinal), "mc.dll");
        using Process process = Process.Start(new ProcessStartInfo(
            "dotnet",
            [program, "train", "Stories260K_Lora", "--base", tiny.Base, "--data", tiny.Data, "--out", output, "--steps", "100000", "--sequence", "64"])
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        })!;
        Task<string> error = process.StandardError.ReadToEndAsync();
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(3));
        string metrics = Path.Combine(output, "metrics.jsonl");
        while (!process.HasExited && !(File.Exists(metrics) && new FileInfo(metrics).Length > 0))
        {
            await Task.Delay(50, limit.Token);
        }

        using (Process kill = Process.Start("kill", ["-HUP", process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]))
        {
            await kill.WaitForExitAsync(limit.Token);
        }

        await process.WaitForExitAsync(limit.Token);
        Assert.Equal(130, process.ExitCode);
        Assert.Contains("--resume goes on from it", await error, StringComparison.Ordinal);
        Assert.True(File.Exists(Path.Combine(output, "checkpoint.safetensors")));
        Assert.DoesNotContain(Directory.GetFiles(output), f => Path.GetFileName(f).StartsWith('.'));
    }

    private Outcome Run(string command, string basePath, string output) => Mc.Run(
    [
        .. command.Split(' ').Select(word => word switch { "DATA" => tiny.Data, "ADAPTER" => tiny.NewFolder(), _ => word }), "--base", basePath, "--out", output,
    ]);

    private static Dictionary<string, byte[]> Contents(string folder) => Directory.GetFiles(folder).ToDictionary(f => Path.GetFileName(f), File.ReadAllBytes);
}
