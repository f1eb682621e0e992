using ModelCompiler.Planning;
using ModelCompiler.Tensors;

namespace ModelCompiler.Backends.Cpu;

/// <summary>
/// The embedded backend: kernels in C# with 512-, 256- or 128-bit vectors on a team of threads. Results depend on shapes and the number of
/// threads only, never on timing. Not thread-safe: one caller at a time.
/// </summary>
public sealed unsafe partial class CpuBackend : IBackend
{
    private readonly ThreadTeam team;
    private readonly PagedMemory paged = new();
    private NativeArena? arena;
    private byte* workspace;
    private long workspacePerThread;
    private Step step = new(1, 1);

    /// <summary>Starts the threads; memory comes with <see cref="Allocate"/>.</summary>
    /// <param name="threads">Threads that compute, the caller included; 0 for one per core of the machine.</param>
    public CpuBackend(int threads = 0)
    {
        Profile = BackendProfile.Cpu(threads > 0 ? threads : Environment.ProcessorCount);
        team = new ThreadTeam(Profile.Threads);
    }

    /// <inheritdoc/>
    public BackendProfile Profile { get; }

    /// <inheritdoc/>
    public long AllocatedBytes => arena?.Bytes ?? 0;

    /// <summary>The threads, for measurements: others of their own would compete with these for the cores.</summary>
    internal ThreadTeam Team => team;

    private NativeArena Arena => arena ?? throw new InvalidOperationException("The backend has no memory yet: call Allocate first.");

    /// <inheritdoc/>
    public void Allocate(long bytes)
    {
        if (arena != null)
        {
            throw new InvalidOperationException("The arena exists already.");
        }

        arena = new NativeArena(bytes, Profile.Alignment);
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">The part is smaller than the profile's workspace, not aligned, or outside the arena.</exception>
    public void UseWorkspace(long offset, long bytes)
    {
        long perThread = bytes / Profile.Threads / Profile.Alignment * Profile.Alignment;
        if (perThread < Profile.ScratchPerThread || offset % Profile.Alignment != 0 || offset < 0 || offset + bytes > AllocatedBytes)
        {
            throw new ArgumentException(
                $"A workspace of {bytes} bytes at {offset} does not do: {Profile.ScratchPerThread} bytes for each of {Profile.Threads} threads, aligned to {Profile.Alignment}, inside the arena of {AllocatedBytes} bytes.");
        }

        workspace = Arena.Address + offset;
        workspacePerThread = perThread;
    }

    /// <inheritdoc/>
    public long PagedBytes => paged.Bytes;

    /// <inheritdoc/>
    public void AllocatePaged(long bytes) => paged.Allocate(bytes, Profile.Alignment);

    /// <inheritdoc/>
    public void PageIn(long source, Tensor destination) => paged.In(source, Arena, destination);

    /// <inheritdoc/>
    public void PageOut(Tensor source, long destination) => paged.Out(Arena, source, destination);

    /// <summary>Does nothing: copies are done when their call returns.</summary>
    public void AwaitPage(Tensor page)
    {
    }

    /// <inheritdoc/>
    public void BeginStep(in Step step) => this.step = step;

    /// <inheritdoc/>
    public void Write(Tensor destination, ReadOnlySpan<float> values) => HostTransfer.Write(Host(destination), destination, values);

    /// <inheritdoc/>
    public void Write(Tensor destination, ReadOnlySpan<double> values) => HostTransfer.Write(Host(destination), destination, values);

    /// <inheritdoc/>
    public void Write(Tensor destination, ReadOnlySpan<int> values) => HostTransfer.Write(Host(destination), destination, values);

    /// <inheritdoc/>
    public void Write(Tensor destination, ReadOnlySpan<byte> values) => HostTransfer.Write(Host(destination), destination, values);

    /// <inheritdoc/>
    public void Read(Tensor source, Span<float> values) => HostTransfer.Read(Host(source), source, values);

    /// <inheritdoc/>
    public void Read(Tensor source, Span<double> values) => HostTransfer.Read(Host(source), source, values);

    /// <inheritdoc/>
    public void Read(Tensor source, Span<byte> values) => HostTransfer.Read(Host(source), source, values);

    /// <inheritdoc/>
    public double Read(Tensor scalar)
    {
        double value = 0;
        Tensor first = scalar with { Rows = 1, Columns = 1 };
        HostTransfer.Read(Host(first), first, new Span<double>(ref value));
        return value;
    }

    /// <inheritdoc/>
    public void Zero(Tensor x) => HostTransfer.Zero(Host(x), x);

    /// <inheritdoc/>
    public void Dispose()
    {
        team.Dispose();
        arena?.Dispose();
        paged.Dispose();
        arena = null;
        workspace = null;
    }

    /// <summary>The scratch of one thread, <see cref="BackendProfile.ScratchPerThread"/> bytes at least.</summary>
    /// <exception cref="InvalidOperationException">No workspace was given.</exception>
    private byte* Scratch(int thread)
    {
        if (workspace == null)
        {
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

    /// <summary>The position of a token row within its sequence.</summary>
    private int Position(int row) => step.Position + row % step.Sequence;

    /// <summary>The arena's first byte, after a check that the tensor lies in it.</summary>
    private byte* Host(Tensor tensor)
    {
        Arena.At(tensor);
        return Arena.Address;
    }
}
