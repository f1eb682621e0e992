using System.Reflection;

namespace ModelCompiler.Benchmarks;

/// <summary>How to start this program again, whether it runs as itself or under <c>dotnet</c>.</summary>
public static class OwnProcess
{
    /// <summary>Program and arguments that run this program with these arguments.</summary>
    public static (string Program, string[] Arguments) Again(params string[] arguments)
    {
        string program = Environment.ProcessPath!;
        bool host = Path.GetFileNameWithoutExtension(program) == "dotnet";
        return (program, host ? [Assembly.GetEntryAssembly()!.Location, .. arguments] : arguments);
    }
}
