namespace ModelCompiler.CommandLine.Terminal;

/// <summary>What a command's exit code says.</summary>
internal static class ExitCode
{
    /// <summary>Done.</summary>
    public const int Done = 0;

    /// <summary>Failed while working.</summary>
    public const int Failed = 1;

    /// <summary>Bad usage or bad input, or a command that is not built yet.</summary>
    public const int BadInput = 2;

    /// <summary>The plan does not fit the budget.</summary>
    public const int OverBudget = 3;

    /// <summary>Interrupted by the user.</summary>
    public const int Interrupted = 130;
}
