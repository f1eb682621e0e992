using System.CommandLine;

namespace ModelCompiler.Hosting.Commands;

/// <summary>A command of the product that does not exist yet: it says so, whatever its arguments.</summary>
internal sealed class UnbuiltCommand : Command
{
    public UnbuiltCommand(string name, string purpose)
        : base(name, purpose + " (not built yet)")
    {
        TreatUnmatchedTokensAsErrors = false;
        SetAction(Refuse);
    }

    /// <summary>Name and purpose of each.</summary>
    public static IReadOnlyList<(string Name, string Purpose)> Names { get; } =
    [
        ("tune", "Measure tokens a second over micro-batch sizes and plans, and recommend one"),
    ];

    private int Refuse(ParseResult arguments) => throw UsageException.NotBuilt($"mc {Name}", "mc --help lists the commands that are");
}
