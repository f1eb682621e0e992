namespace ModelCompiler.Planning;

/// <summary>What a parameter is of its operation: how many dimensions it has and how it starts go by this.</summary>
public enum ParameterKind
{
    /// <summary>A matrix.</summary>
    Matrix,

    /// <summary>A factor per channel, which starts at 1.</summary>
    Gain,

    /// <summary>An addend per channel, which starts at 0.</summary>
    Bias,
}
