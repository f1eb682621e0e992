using System.Diagnostics;

namespace ModelCompiler.Cuda.Tests.Kernels;

/// <summary>Clang 19, which compiles CUDA C without a GPU and without CUDA.</summary>
internal static class Clang
{
    private const string Program = "clang-19";

    /// <summary>Why kernels cannot be compiled here; null where they can.</summary>
    public static string? WhyAbsent { get; } = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
        .Any(folder => File.Exists(Path.Combine(folder, Program)))
        ? null
        : $"There is no {Program} on the path: kernels are compiled without a GPU by it.";

    /// <summary>Skips the test where kernels cannot be compiled.</summary>
    public static void Require()
    {
        if (WhyAbsent is string reason)
        {
            Assert.Skip(reason);
        }
    }

    /// <summary>Runs it in a folder and demands success without warnings.</summary>
    public static void Run(string folder, params string[] arguments)
    {
        var start = new ProcessStartInfo(Program, ["-Wall", "-Wextra", "-Werror", "-std=c++17", "-ffp-contract=off", .. arguments])
        {
            WorkingDirectory = folder,
            RedirectStandardError = true,
        };
        using Process process = Process.Start(start)!;
        string messages = process.StandardError.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, messages);
    }
}

/// <summary>What running kernels on the host takes.</summary>
internal static class HostClang
{
    /// <summary>Why they cannot be run here; null where they can.</summary>
    public static string? WhyAbsent => Clang.WhyAbsent
        ?? (OperatingSystem.IsLinux() && File.Exists("/usr/include/ucontext.h") ? null : "Threads are emulated with the C library's ucontext.h, which is not here.");

    /// <summary>Skips the test where they cannot be run.</summary>
    public static void Require()
    {
        if (WhyAbsent is string reason)
        {
            Assert.Skip(reason);
        }
    }
}
