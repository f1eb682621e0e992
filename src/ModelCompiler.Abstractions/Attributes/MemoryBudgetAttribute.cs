using ModelCompiler.Planning;

namespace ModelCompiler;

/// <summary>
/// Stops the build with MC0401 when a training step of the recipe needs more memory than this. A recipe may have one for every device and plan that it
/// is meant for; each budget is checked on its own. What a budget does not say is as a <see cref="TrainingPlan"/> has it unless told otherwise.
/// </summary>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = true)]
public sealed class MemoryBudgetAttribute : Attribute
{
    /// <summary>Creates the attribute.</summary>
    /// <param name="budget">A size with its unit: "4 GiB", "24GB", "900 MiB" (GiB = 2^30 bytes, GB = 10^9).</param>
    public MemoryBudgetAttribute(string budget) => Budget = budget;

    /// <summary>The budget as written.</summary>
    public string Budget { get; }

    /// <summary>The device that has this memory.</summary>
    public Device Device { get; set; } = Device.Cpu;

    /// <summary>Threads of the CPU backend, whose packing scratch is part of the cost; from 1 to 1024.</summary>
    public int Threads { get; set; } = 2;

    /// <summary>Sequences in a micro-batch. How many of them an optimizer step accumulates changes no memory.</summary>
    public int Batch { get; set; } = 1;

    /// <summary>Tokens in a sequence; 0: the model's context.</summary>
    public int Sequence { get; set; }

    /// <summary>What is kept from forward for backward.</summary>
    public Checkpointing Checkpointing { get; set; } = Checkpointing.Selective;

    /// <summary>With <see cref="Checkpointing.Block"/>, layers of which one input is kept.</summary>
    public int CheckpointEvery { get; set; } = 1;

    /// <summary>How what layers save of their width is kept: <see cref="Storage.Float32"/> or <see cref="Storage.BFloat16"/>.</summary>
    public Storage SavedActivations { get; set; } = Storage.Float32;

    /// <summary>How trainable parameters are updated. Moments that are paged lie in host memory, beside the peak and the budget.</summary>
    public Optimizer Optimizer { get; set; } = Optimizer.AdamW;

    /// <summary>Rank of all adapters instead of the declared ones; 0: as declared.</summary>
    public int Rank { get; set; }

    /// <summary>
    /// Storage of the frozen projections instead of that of <see cref="FrozenAttribute"/>, in blocks of 64 and NF4 double quantized, as <c>--storage</c> of the
    /// command line; -1, where it is not given: as declared.
    /// </summary>
    public Storage Storage { get; set; } = (Storage)(-1);
}
