namespace ModelCompiler.Planning;

/// <summary>
/// What a plan takes, in bytes. The terms are planned, not estimated: their sum less <see cref="Overhead"/> is the size of the one
/// arena that the run allocates.
/// </summary>
/// <param name="FrozenWeights">Frozen parameters of the base.</param>
/// <param name="Adapters">Parameters of the adapters, frozen ones included (in full training all parameters).</param>
/// <param name="Gradients">Gradients of the trainable parameters.</param>
/// <param name="Optimizer">State of the optimizer: moments, and the scales of quantized ones.</param>
/// <param name="Activations">Peak of kept, saved and transient activations, with the residual gradient (and caches, when generating).</param>
/// <param name="Workspace">Scratch of the backend's kernels.</param>
/// <param name="Inputs">Token ids, targets with their rows, and scalars.</param>
/// <param name="Overhead">What the runtime takes beside the arena.</param>
/// <param name="Paged">Moments in host memory; beside the peak, which is of the device.</param>
public sealed record MemoryCost(
    long FrozenWeights,
    long Adapters,
    long Gradients,
    long Optimizer,
    long Activations,
    long Workspace,
    long Inputs,
    long Overhead,
    long Paged = 0)
{
    /// <summary>Examples to learn from, in host memory; known once they are read, 0 before.</summary>
    public long Data { get; init; }

    /// <summary>Bytes of the arena.</summary>
    public long Arena => FrozenWeights + Adapters + Gradients + Optimizer + Activations + Workspace + Inputs;

    /// <summary>Bytes that the run takes from the system: the arena and what is paged.</summary>
    public long Allocated => Arena + Paged;

    /// <summary>Arena, data and overhead.</summary>
    public long Peak => Arena + Data + Overhead;

    /// <summary>What a process whose arena is host memory holds: the peak and what is paged.</summary>
    public long HostPeak => Peak + Paged;

    /// <summary>The terms of the peak by name; their sum is <see cref="Peak"/>.</summary>
    public IReadOnlyList<(string Name, long Bytes)> Terms() =>
    [
        ("frozen weights", FrozenWeights), ("adapters", Adapters), ("gradients", Gradients), ("optimizer", Optimizer),
        ("activations", Activations), ("workspace", Workspace), ("inputs", Inputs), .. Data > 0 ? [("data", Data)] : Array.Empty<(string, long)>(), ("overhead", Overhead),
    ];

    /// <summary>The largest term.</summary>
    public (string Name, long Bytes) LargestTerm() => Terms().OrderByDescending(static t => t.Bytes).First();

    /// <inheritdoc/>
    public override string ToString() =>
        $"weights {FrozenWeights}, adapters {Adapters}, gradients {Gradients}, optimizer {Optimizer}, activations {Activations}, " +
        $"workspace {Workspace}, inputs {Inputs}, overhead {Overhead}, peak {Peak} bytes" + (Paged > 0 ? $", paged {Paged} bytes of host memory" : "");
}
