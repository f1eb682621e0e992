using System.Diagnostics;
using ModelCompiler.Generators.Tests.Testing;

namespace ModelCompiler.Generators.Tests;

/// <summary>What the package tells a build whose C# compiler cannot run the generator.</summary>
public class PackageTargetsTests
{
    [Theory]
    [InlineData("roslyn4.8", false)]
    [InlineData("roslyn4.13", false)]
    [InlineData("roslyn4.14", true)]
    [InlineData("roslyn5.0", true)]
    [InlineData("", true)]
    public async Task Says_plainly_that_the_compiler_is_too_old(string version, bool builds)
    {
        string project = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName() + ".proj");
        await File.WriteAllTextAsync(project, $"""
            <Project>
              <Import Project="{Path.Combine(Repository.Root, "src/ModelCompiler/buildTransitive/ModelCompiler.targets")}" />
              <Target Name="CoreCompile" />
            </Project>
            """);
        try
        {
            using Process build = Process.Start(new ProcessStartInfo("dotnet", ["msbuild", project, "-nologo", "-t:CoreCompile", $"-p:CompilerApiVersion={version}"]) { RedirectStandardOutput = true })!;
            string output = await build.StandardOutput.ReadToEndAsync();
            await build.WaitForExitAsync();
            Assert.Equal(builds, build.ExitCode == 0);
            if (!builds)
            {
                Assert.Contains($"it needs a C# compiler of version 4.14 or newer, and this build uses {version[6..]}. Install the .NET 10 SDK", output);
            }
        }
        finally
        {
            File.Delete(project);
        }
    }
}
