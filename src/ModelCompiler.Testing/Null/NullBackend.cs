using ModelCompiler.Backends;
using ModelCompiler.Planning;
using ModelCompiler.Tensors;

namespace ModelCompiler.Testing.Null;

/// <summary>
/// Runs nothing and allocates nothing. Counts launches and bytes per operation, keeps the highest byte any handle
/// reaches and refuses a handle that leaves the arena: it proves a plan without the memory the plan needs. Every Read gives 0.
/// </summary>
[GenerateOperations(GeneratedCalls.Count)]
public sealed partial class NullBackend : IBackend
{
    private readonly SortedDictionary<string, OperationCount> operations = new(StringComparer.Ordinal);
    private bool allocated;
    private Step step = new(1, 1);

    /// <summary>A backend that stands in for the one with this profile; <see cref="BackendProfile.Null"/> where none is given.</summary>
    public NullBackend(BackendProfile? profile = null) => Profile = profile ?? BackendProfile.Null;

    /// <inheritdoc/>
    public BackendProfile Profile { get; }

    /// <summary>The size the arena would have.</summary>
    public long AllocatedBytes { get; private set; }

    /// <summary>What ran since the start or the last <see cref="Reset"/>, by the name of the method of <see cref="IBackend"/>.</summary>
    public IReadOnlyDictionary<string, OperationCount> Operations => operations;

    /// <summary>The sum over all operations.</summary>
    public OperationCount Total
    {
        get
        {
            OperationCount total = default;
            foreach (OperationCount count in operations.Values)
            {
                total += count;
            }

            return total;
        }
    }

    /// <summary>One past the highest byte of the arena that a handle of any operation reached; the workspace is not in it.</summary>
    public long HighestByte { get; private set; }

    /// <summary>One past the last byte of the workspace.</summary>
    public long WorkspaceEnd { get; private set; }

    /// <summary>The size the paged memory would have.</summary>
    public long PagedBytes { get; private set; }

    /// <summary>One past the highest byte of paged memory that a copy reached.</summary>
    public long HighestPagedByte { get; private set; }

    /// <summary>Told of every call in order: its operation and its first tensor.</summary>
    public event Action<string, Tensor>? Launched;

    /// <summary>What <see cref="FindFreeMemory"/> says; null: that it is not known.</summary>
    public FreeMemory? FreeMemory { get; init; }

    /// <inheritdoc/>
    public FreeMemory? FindFreeMemory() => FreeMemory;

    /// <summary>Forgets the counts and the highest byte; the arena stays.</summary>
    public void Reset()
    {
        operations.Clear();
        HighestByte = 0;
        HighestPagedByte = 0;
    }

    /// <summary>Notes the size; no memory is taken.</summary>
    /// <exception cref="InvalidOperationException">The arena exists already.</exception>
    public void Allocate(long bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        if (allocated)
        {
            throw new InvalidOperationException("The arena exists already.");
        }

        allocated = true;
        AllocatedBytes = bytes;
    }

    /// <summary>Notes the size; no memory is taken.</summary>
    /// <exception cref="InvalidOperationException">There is paged memory already.</exception>
    public void AllocatePaged(long bytes) =>
        PagedBytes = PagedBytes == 0 ? bytes : throw new InvalidOperationException("There is paged memory already.");

    /// <inheritdoc/>
    /// <exception cref="InvalidOperationException">The workspace leaves the arena.</exception>
    public void UseWorkspace(long offset, long bytes)
    {
        if (offset < 0 || bytes < 0 || bytes > AllocatedBytes - offset)
        {
            throw new InvalidOperationException($"The workspace of {bytes} bytes at {offset} leaves the arena of {AllocatedBytes} bytes.");
        }

        WorkspaceEnd = offset + bytes;
    }

    /// <inheritdoc/>
    public void BeginStep(in Step step)
    {
        step.Check();
        this.step = step;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
    }

    /// <summary>Counts one launch. A tensor that is read and written is listed twice; none is listed freely.</summary>
    private void Count(string operation, ReadOnlySpan<Tensor> tensors, long gatheredBytes = 0)
    {
        long bytes = gatheredBytes;
        foreach (Tensor tensor in tensors)
        {
            Touch(tensor, operation);
            bytes += StorageLayout.BytesOf(tensor.Type, tensor.Rows, tensor.Columns);
        }

        operations[operation] = operations.GetValueOrDefault(operation) + new OperationCount(1, bytes);
        Launched?.Invoke(operation, tensors[0]);
    }

    /// <summary>Checks that a handle lies inside the arena and keeps how far it reaches.</summary>
    private void Touch(Tensor tensor, string operation)
    {
        if (tensor.IsNone)
        {
            return;
        }

        if (!tensor.Fits(AllocatedBytes))
        {
            throw new InvalidOperationException(
                $"{operation}: {tensor} with row stride {tensor.Stride} ends at {tensor.End} and leaves the arena of {AllocatedBytes} bytes.");
        }

        HighestByte = Math.Max(HighestByte, tensor.End);
    }
}
