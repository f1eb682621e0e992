using System.Diagnostics;
using ModelCompiler.CommandLine.Terminal;
using ModelCompiler.Files;

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
    public void A_folder_in_one_that_is_read_is_refused_and_not_made(string command)
    {
        string copy = tiny.CopyBase();
        string link = tiny.NewFolder();
        Directory.CreateSymbolicLink(link, copy);
        foreach (string output in (string[])[Path.Combine(copy, "out"), Path.Combine(copy, "a", "b"), Path.Combine(link, "out")])
        {
            Run(command, copy, output).AssertRefused(2, "--out", "--base", copy);
        }

        Assert.Empty(Directory.GetDirectories(copy));
    }

    [Theory]
    [InlineData("merge")]
    [InlineData("export")]
    public void The_adapters_folder_is_not_written(string command)
    {
        string adapter = Directory.CreateDirectory(tiny.NewFolder()).FullName;
        foreach (string output in (string[])[adapter, adapter + "/", Path.Combine(adapter, "..", Path.GetFileName(adapter))])
        {
            Mc.Run([command, "Stories260K_Lora", "--base", tiny.Base, "--adapter", adapter, "--out", output]).AssertRefused(2, "--out", "--adapter", adapter);
        }

        Assert.Empty(Directory.GetFileSystemEntries(adapter));
    }

    [Theory]
    [InlineData("train Stories260K_Lora --data FILE", "metrics.jsonl")]
    [InlineData("train Stories260K_Lora --data FILE", "adapter_config.json")]
    [InlineData("train Stories260K --data FILE", "config.json")]
    [InlineData("train Stories260K --data FILE", "notes.txt")]
    [InlineData("train Stories260K --data DATA --evaluate FILE", "metrics.jsonl")]
    [InlineData("quantize Stories260K_QLora --data FILE", "notes.txt")]
    [InlineData("merge Stories260K_Lora --adapter ADAPTER --data FILE", "notes.txt")]
    [InlineData("export Stories260K_Lora --adapter ADAPTER --data FILE", "adapter_config.json")]
    public void Data_that_the_run_would_write_over_is_kept(string command, string name)
    {
        string copy = tiny.CopyBase();
        File.WriteAllText(Path.Combine(copy, "notes.txt"), "of the base");
        string output = Directory.CreateDirectory(tiny.NewFolder()).FullName;
        string file = Path.Combine(output, name);
        string link = tiny.NewFolder();
        Directory.CreateSymbolicLink(link, output);
        File.Copy(tiny.Data, file);
        foreach (string given in (string[])[file, Path.Combine(link, name)])
        {
            Run(command.Replace("FILE", given, StringComparison.Ordinal), copy, output).AssertRefused(2, "--out", given);
        }

        Assert.Equal(File.ReadAllBytes(tiny.Data), File.ReadAllBytes(file));
        Assert.Equal([file], Directory.GetFileSystemEntries(output));
    }

    [Fact]
    public void Data_beside_what_the_run_writes_is_read()
    {
        string output = Directory.CreateDirectory(tiny.NewFolder()).FullName;
        string file = Path.Combine(output, "rows.jsonl");
        File.Copy(tiny.Data, file);
        Assert.Equal(0, Run($"train Stories260K_Lora --data {file} --steps 1 --sequence 64", tiny.Base, output).Code);
        Assert.Equal(File.ReadAllBytes(tiny.Data), File.ReadAllBytes(file));
    }

    [Theory]
    [InlineData("plan Stories260K_Lora")]
    [InlineData("tune Stories260K_Lora")]
    [InlineData("compare --data DATA")]
    public void A_report_is_not_written_into_the_base(string command)
    {
        string copy = tiny.CopyBase();
        string page = Path.Combine(copy, "page.html");
        File.WriteAllText(page, "mine");
        Mc.Run([.. command.Replace("DATA", tiny.Data, StringComparison.Ordinal).Split(' '), "--base", copy, "--report", page]).AssertRefused(2, "--report", "--base", copy);
        Assert.Equal("mine", File.ReadAllText(page));
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
