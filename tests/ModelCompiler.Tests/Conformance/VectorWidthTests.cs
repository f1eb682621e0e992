using System.Diagnostics;
using System.Runtime.Intrinsics;

namespace ModelCompiler.Tests.Conformance;

/// <summary>
/// The suite on narrower vectors. The width is fixed when a process starts, so each runs in a child: this assembly, started with the
/// argument "conformance" (see <see cref="Program"/>).
/// </summary>
public sealed class VectorWidthTests
{
    [Theory]
    [InlineData(256, "DOTNET_EnableAVX512")]
    [InlineData(128, "DOTNET_EnableAVX2")]
    public async Task NarrowerVectorsAgreeWithReference(int bits, string switchedOff)
    {
        var start = new ProcessStartInfo(Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet")
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.ArgumentList.Add("exec");
        start.ArgumentList.Add(typeof(VectorWidthTests).Assembly.Location);
        start.ArgumentList.Add("conformance");
        start.ArgumentList.Add($"{bits}");
        start.Environment[switchedOff] = "0";
        using Process child = Process.Start(start)!;
        Task<string> errors = child.StandardError.ReadToEndAsync();
        string output = await child.StandardOutput.ReadToEndAsync() + await errors;
        await child.WaitForExitAsync();
        Assert.True(child.ExitCode == 0, output);
    }

    /// <summary>The widest accelerated vector of this process.</summary>
    internal static int Bits() => Vector512.IsHardwareAccelerated ? 512 : Vector256.IsHardwareAccelerated ? 256 : 128;
}
