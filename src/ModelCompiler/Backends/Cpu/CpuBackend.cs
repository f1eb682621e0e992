using ModelCompiler.Planning;
using ModelCompiler.Tensors;

namespace ModelCompiler.Backends.Cpu;

/// <summary>
/// The embedded backend: kernels in C# with 512-, 256- or 128-bit vectors on a team of threads. Results depend on shapes and the number of
/// threads only, never on timing. Not thread-safe: one caller at a time.
/// </summary>
public sealed unsafe partial class CpuBackend : HostBackend, IBackend
{
    private readonly ThreadTeam team;
    private byte* workspace;
    private long workspacePerThread;

    /// <summary>Takes nothing yet: memory comes with <see cref="HostBackend.Allocate"/>, threads with the first kernel that shares its work.</summary>
    /// <param name="threads">Threads that compute, the caller included; 0 for one per core of the machine.</param>
    public CpuBackend(int threads = 0)
        : base(BackendProfile.Cpu(threads > 0 ? threads : Environment.ProcessorCount)) => team = new ThreadTeam(Profile.Threads);

    /// <summary>The threads, for measurements: others of their own would compete with these for the cores.</summary>
    internal ThreadTeam Team => team;

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">The part is smaller than the profile's workspace, not aligned, or outside the arena.</exception>
    public void UseWorkspace(long offset, long bytes)
    {
        ObjectDisposedException.ThrowIf(IsDisposed, this);
        long perThread = bytes / Profile.Threads / Profile.Alignment * Profile.Alignment;
        if (perThread < Profile.ScratchPerThread || offset % Profile.Alignment != 0 || offset < 0 || bytes > AllocatedBytes - offset)
        {
            throw new ArgumentException(
                $"A workspace of {bytes} bytes at {offset} does not do: {Profile.ScratchPerThread} bytes for each of {Profile.Threads} threads, aligned to {Profile.Alignment}, inside the arena of {AllocatedBytes} bytes.");
        }

        workspace = Arena.Address + offset;
        workspacePerThread = perThread;
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        workspace = null;
        base.Dispose();
    }

    /// <summary>The scratch of one thread, <see cref="BackendProfile.ScratchPerThread"/> bytes at least.</summary>
    /// <exception cref="InvalidOperationException">No workspace was given.</exception>
    private byte* Scratch(int thread)
    {
        if (workspace == null)
        {
            ObjectDisposedException.ThrowIf(IsDisposed, this);
            throw new InvalidOperationException("The backend has no workspace yet: call UseWorkspace first.");
        }

        return workspace + thread * workspacePerThread;
    }

    /// <summary>The values of a Float32 tensor; null for none.</summary>
    private float* Floats(Tensor tensor)
    {
        if (!tensor.IsNone && tensor.Type != DType.Float32)
        {
            throw new ArgumentException($"{tensor} must be Float32: only weights may have another type.");
        }

        return (float*)Arena.At(tensor);
    }

    /// <summary>The values of an Int32 tensor; null for none.</summary>
    private int* Integers(Tensor tensor)
    {
        if (!tensor.IsNone && tensor.Type != DType.Int32)
        {
            throw new ArgumentException($"{tensor} must be Int32.");
        }

        return (int*)Arena.At(tensor);
    }

    /// <summary>The codes of a UInt8 tensor; null for none.</summary>
    private byte* Codes(Tensor tensor)
    {
        if (!tensor.IsNone && tensor.Type != DType.UInt8)
        {
            throw new ArgumentException($"{tensor} must be UInt8.");
        }

        return Arena.At(tensor);
    }
}
