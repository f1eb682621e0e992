using System.CommandLine;
using ModelCompiler.Backends;
using ModelCompiler.Backends.Cpu;
using ModelCompiler.Planning;

namespace ModelCompiler.Hosting;

/// <summary>The backend the command line asks for.</summary>
internal static class BackendChoice
{
    /// <summary>What it needs of memory.</summary>
    /// <exception cref="UsageException">There is no such backend.</exception>
    public static BackendProfile Profile(ParseResult arguments)
    {
        Choice.Require("--backend", arguments.GetValue(CommonOptions.Backend)!, ["cpu"], ["cuda", "torchsharp"]);
        return BackendProfile.Cpu(arguments.GetValue(CommonOptions.Threads));
    }

    /// <summary>The backend itself.</summary>
    /// <exception cref="UsageException">There is no such backend.</exception>
    public static IBackend Create(ParseResult arguments) => new CpuBackend(Profile(arguments).Threads);
}
