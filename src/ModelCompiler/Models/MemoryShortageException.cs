using ModelCompiler.Planning;
using ModelCompiler.Tensors;

namespace ModelCompiler.Models;

/// <summary>The machine, the container or the device has less memory free than a plan takes.</summary>
public sealed class MemoryShortageException : ModelCompilerException
{
    /// <summary>Creates the error.</summary>
    /// <param name="model">The model's name.</param>
    /// <param name="needed">Bytes that the plan takes beside what the process holds already.</param>
    /// <param name="free">What is free.</param>
    public MemoryShortageException(string model, long needed, FreeMemory free)
        : base($"{model} takes {ByteSize.Format(needed)} by its plan, and {ByteSize.Format(free.Bytes)} of {free.Of} are free; "
            + "lower the batch, the sequence or the rank, choose block checkpointing or an 8-bit optimizer, or free memory")
    {
        (Needed, Free) = (needed, free.Bytes);
    }

    /// <summary>Bytes that the plan takes.</summary>
    public long Needed { get; }

    /// <summary>Bytes that are free.</summary>
    public long Free { get; }
}
