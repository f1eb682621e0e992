using System.Runtime.InteropServices;
using ModelCompiler.Cuda.Native;

namespace ModelCompiler.Cuda.Driver;

/// <summary>Something that lives in a context and is given back by its own entry point, once, whatever becomes of the context meanwhile.</summary>
public abstract class CudaResource : SafeHandle
{
    private readonly CudaContext _context;

    private protected CudaResource(CudaContext context, nint resource)
        : base(0, ownsHandle: true)
    {
        _context = context;
        bool added = false;
        context.DangerousAddRef(ref added);
        SetHandle(resource);
    }

    /// <inheritdoc/>
    public sealed override bool IsInvalid => handle == 0;

    private protected IDriver Driver => _context.Driver;

    /// <summary>The driver's handle, for a call that follows on this thread.</summary>
    /// <exception cref="ObjectDisposedException">The resource or its context was disposed.</exception>
    private protected nint Use()
    {
        ObjectDisposedException.ThrowIf(IsClosed, this);
        _context.MakeCurrent();
        return handle;
    }

    /// <summary>Gives the resource back; a CUresult.</summary>
    private protected abstract int Free();

    /// <inheritdoc/>
    protected sealed override bool ReleaseHandle()
    {
        bool freed = _context.TryMakeCurrent() && Free() == 0;
        _context.DangerousRelease();
        return freed;
    }
}
