using ModelCompiler.Planning;
using ModelCompiler.Tensors;

namespace ModelCompiler.Backends;

/// <summary>What backends have in common whose arena is host memory: the arena, paged memory and the transfers. Copies are done when their call returns.</summary>
public abstract unsafe class HostBackend : IDisposable
{
    private readonly PagedMemory _paged = new();
    private NativeArena? _arena;

    private protected HostBackend(BackendProfile profile) => Profile = profile;

    /// <inheritdoc cref="IBackend.Profile"/>
    public BackendProfile Profile { get; }

    /// <inheritdoc cref="IBackend.AllocatedBytes"/>
    public long AllocatedBytes => _arena?.Bytes ?? 0;

    /// <inheritdoc cref="IBackend.PagedBytes"/>
    public long PagedBytes => _paged.Bytes;

    /// <summary>Whether the backend was disposed.</summary>
    private protected bool IsDisposed { get; private set; }

    /// <summary>The arena.</summary>
    /// <exception cref="InvalidOperationException">There is none yet.</exception>
    /// <exception cref="ObjectDisposedException">There is none any more.</exception>
    private protected NativeArena Arena => _arena ?? throw Missing();

    /// <summary>The scalars of the micro-step.</summary>
    private protected Step Step { get; private set; } = new(1, 1);

    /// <inheritdoc cref="IBackend.Allocate"/>
    public void Allocate(long bytes)
    {
        ObjectDisposedException.ThrowIf(IsDisposed, this);
        if (_arena != null)
        {
            throw new InvalidOperationException("The arena exists already.");
        }

        _arena = new NativeArena(bytes, Profile.Alignment);
    }

    /// <inheritdoc cref="IBackend.FindFreeMemory"/>
    public FreeMemory? FindFreeMemory() => HostMemory.Free();

    /// <inheritdoc cref="IBackend.AllocatePaged"/>
    public void AllocatePaged(long bytes)
    {
        ObjectDisposedException.ThrowIf(IsDisposed, this);
        _paged.Allocate(bytes, Profile.Alignment);
    }

    /// <inheritdoc cref="IBackend.PageIn"/>
    public void PageIn(long source, Tensor destination) => _paged.In(source, Arena, destination);

    /// <inheritdoc cref="IBackend.PageOut"/>
    public void PageOut(Tensor source, long destination) => _paged.Out(Arena, source, destination);

    /// <summary>Does nothing: copies are done when their call returns.</summary>
    public void AwaitPage(Tensor page)
    {
    }

    /// <inheritdoc cref="IBackend.BeginStep"/>
    public void BeginStep(in Step step)
    {
        ObjectDisposedException.ThrowIf(IsDisposed, this);
        step.Check();
        Step = step;
    }

    /// <inheritdoc cref="IBackend.Write(Tensor, ReadOnlySpan{float})"/>
    public void Write(Tensor destination, ReadOnlySpan<float> values) => HostTransfer.Write(Host(destination), destination, values);

    /// <inheritdoc cref="IBackend.Write(Tensor, ReadOnlySpan{double})"/>
    public void Write(Tensor destination, ReadOnlySpan<double> values) => HostTransfer.Write(Host(destination), destination, values);

    /// <inheritdoc cref="IBackend.Write(Tensor, ReadOnlySpan{int})"/>
    public void Write(Tensor destination, ReadOnlySpan<int> values) => HostTransfer.Write(Host(destination), destination, values);

    /// <inheritdoc cref="IBackend.Write(Tensor, ReadOnlySpan{byte})"/>
    public void Write(Tensor destination, ReadOnlySpan<byte> values) => HostTransfer.Write(Host(destination), destination, values);

    /// <inheritdoc cref="IBackend.Read(Tensor, Span{float})"/>
    public void Read(Tensor source, Span<float> values) => HostTransfer.Read(Host(source), source, values);

    /// <inheritdoc cref="IBackend.Read(Tensor, Span{double})"/>
    public void Read(Tensor source, Span<double> values) => HostTransfer.Read(Host(source), source, values);

    /// <inheritdoc cref="IBackend.Read(Tensor, Span{byte})"/>
    public void Read(Tensor source, Span<byte> values) => HostTransfer.Read(Host(source), source, values);

    /// <inheritdoc cref="IBackend.Read(Tensor)"/>
    public double Read(Tensor scalar)
    {
        double value = 0;
        Tensor first = scalar with { Rows = 1, Columns = 1 };
        HostTransfer.Read(Host(first), first, new Span<double>(ref value));
        return value;
    }

    /// <inheritdoc cref="IBackend.Zero"/>
    public void Zero(Tensor x) => HostTransfer.Zero(Host(x), x);

    /// <inheritdoc/>
    public virtual void Dispose()
    {
        _arena?.Dispose();
        _paged.Dispose();
        _arena = null;
        IsDisposed = true;
        GC.SuppressFinalize(this);
    }

    private Exception Missing() => IsDisposed
        ? new ObjectDisposedException(GetType().FullName)
        : new InvalidOperationException("The backend has no memory yet: call Allocate first.");

    /// <summary>The position of a token row within its sequence.</summary>
    private protected int Position(int row) => Step.Position + row % Step.Sequence;

    /// <summary>The arena's first byte, after a check that the tensor lies in it.</summary>
    private protected byte* Host(Tensor tensor)
    {
        Arena.At(tensor);
        return Arena.Address;
    }
}
