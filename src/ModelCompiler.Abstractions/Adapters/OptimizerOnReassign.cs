namespace ModelCompiler;

/// <summary>What happens to the optimizer's moments when ranks move.</summary>
public enum OptimizerOnReassign
{
    /// <summary>All moments of all L1RA adapters start again from 0, with their bias correction: what the published code does.</summary>
    Restart,

    /// <summary>Directions keep their moments where they go; new ones start from 0, each with a bias correction of its own.</summary>
    Splice,
}
