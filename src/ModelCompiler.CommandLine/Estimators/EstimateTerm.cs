using ModelCompiler.CommandLine.Estimators.PyTorch;

namespace ModelCompiler.CommandLine.Estimators;

/// <summary>One term of an estimate.</summary>
/// <param name="Name">What it is, as its estimator names it.</param>
/// <param name="Kind">What of a plan's cost it belongs to.</param>
/// <param name="Bytes">Its size at the peak.</param>
public sealed record EstimateTerm(string Name, CostKind Kind, long Bytes);

/// <summary>The parts of a plan's cost.</summary>
public enum CostKind
{
    /// <summary>Frozen weights and what belongs to them.</summary>
    Weights,

    /// <summary>Adapters.</summary>
    Adapters,

    /// <summary>Gradients of the trained parameters.</summary>
    Gradients,

    /// <summary>Optimizer state.</summary>
    Optimizer,

    /// <summary>What backward reads, and intermediate results.</summary>
    Activations,

    /// <summary>Scratch of single operations.</summary>
    Workspace,

    /// <summary>Ids, labels, masks.</summary>
    Inputs,

    /// <summary>Rounding of the allocator.</summary>
    Overhead,
}
