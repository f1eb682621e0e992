using ModelCompiler.Cuda.Tests;
using Xunit.Runner.InProc.SystemConsole;

namespace ModelCompiler.GpuBenchmarks;

/// <summary>Runs the CUDA tests in this process, where there is no SDK to run them. Prints failures, skips and counts.</summary>
internal static class TestRun
{
    /// <param name="part">What the full names of the tests that run contain; empty: all run.</param>
    public static int Of(string part)
    {
        string[] filter = part.Length == 0 ? [] : ["-method", $"*{part}*"];
        using var runner = new ConsoleRunner(["-noLogo", "-noColor", .. filter], typeof(CudaDeviceTests).Assembly);
        return runner.EntryPoint().GetAwaiter().GetResult();
    }
}
