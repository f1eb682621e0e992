using System.Diagnostics;
using ModelCompiler.CommandLine.Terminal;
using ModelCompiler.Tests;

namespace ModelCompiler.Cli.Tests;

public class PackageTests
{
    [Fact]
    public async Task A_program_outside_the_repository_trains_with_the_packages_alone()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "tests/Package/run.sh needs bash.");
        var start = new ProcessStartInfo("bash", [Path.Combine(TestData.Repository, "tests", "Package", "run.sh")])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using Process process = Process.Start(start)!;
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(10));
        Task<string> error = process.StandardError.ReadToEndAsync(limit.Token);
        string output = await process.StandardOutput.ReadToEndAsync(limit.Token);
        await process.WaitForExitAsync(limit.Token);
        Assert.True(process.ExitCode == 0, output + await error);
        Assert.EndsWith("package: ok", output.TrimEnd(), StringComparison.Ordinal);
    }
}
