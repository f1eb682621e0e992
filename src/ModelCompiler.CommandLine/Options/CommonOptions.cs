using System.CommandLine;
using ModelCompiler.Planning;

namespace ModelCompiler.CommandLine.Options;

/// <summary>The options every command has.</summary>
internal static class CommonOptions
{
    /// <summary>One JSON object instead of tables.</summary>
    public static Option<bool> Json { get; } = new("--json") { Description = "Print one JSON object on standard output", Recursive = true };

    /// <summary>Stacks of errors.</summary>
    public static Option<bool> Verbose { get; } = new("--verbose") { Description = "Print the stack trace of an error", Recursive = true };

    /// <summary>The backend.</summary>
    public static Option<string> Backend { get; } = new("--backend")
    {
        Description = "cpu, cuda (activations in bfloat16) or cuda-float32",
        DefaultValueFactory = _ => "cpu",
        Recursive = true,
    };

    /// <summary>Threads that compute.</summary>
    public static Option<int> Threads { get; } =
        Recursive(NumberOptions.Whole("--threads", "Threads that compute; default: one a core", Environment.ProcessorCount, minimum: 1, maximum: Devices.MaximumThreads));

    /// <summary>The seed.</summary>
    public static Option<long> Seed { get; } = Recursive(NumberOptions.Long("--seed", "Seed of shuffling, dropout, initial adapters and sampling", 1));

    /// <summary>All of them.</summary>
    public static IReadOnlyList<Option> All { get; } = [Json, Verbose, Backend, Threads, Seed];

    private static Option<T> Recursive<T>(Option<T> option)
    {
        option.Recursive = true;
        return option;
    }
}
