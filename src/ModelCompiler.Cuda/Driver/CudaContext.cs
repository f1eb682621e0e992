using System.Runtime.InteropServices;
using ModelCompiler.Cuda.Native;

namespace ModelCompiler.Cuda.Driver;

/// <summary>
/// A device's primary context, shared with every other library of the process that uses the device. What is made in it keeps it alive, so the
/// order of disposal and of finalization does not matter.
/// </summary>
public sealed class CudaContext : SafeHandle
{
    private readonly int _number;

    /// <summary>Not <see cref="SafeHandle.IsClosed"/>, which is false as long as anything in the context lives.</summary>
    private volatile bool _disposed;

    private CudaContext(IDriver driver, CudaDevice device, int number, nint context)
        : base(0, ownsHandle: true)
    {
        (Driver, Device, _number) = (driver, device, number);
        SetHandle(context);
    }

    /// <summary>The device.</summary>
    public CudaDevice Device { get; }

    /// <inheritdoc/>
    public override bool IsInvalid => handle == 0;

    internal IDriver Driver { get; }

    /// <summary>Retains the primary context of a device.</summary>
    /// <param name="ordinal">Index among the visible devices.</param>
    /// <exception cref="CudaUnavailableException">There is no driver or no such device, or one of them is too old.</exception>
    /// <exception cref="CudaException">The driver failed otherwise.</exception>
    public static CudaContext Open(int ordinal = 0) => Open(NativeDriver.Instance, ordinal);

    internal static CudaContext Open(IDriver driver, int ordinal)
    {
        (CudaDevice device, int number) = CudaDevice.Choose(driver, ordinal);
        driver.Check(driver.DevicePrimaryContextRetain(out nint context, number), "cuDevicePrimaryCtxRetain");
        return new CudaContext(driver, device, number, context);
    }

    /// <summary>
    /// Makes the context the calling thread's. Before every call that needs one: a task may go on on another thread, and other libraries
    /// set contexts too.
    /// </summary>
    /// <exception cref="ObjectDisposedException">The context was disposed.</exception>
    internal void MakeCurrent()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        Driver.Check(Driver.ContextSetCurrent(handle), "cuCtxSetCurrent");
    }

    /// <summary>The same for something that is being freed, also after <see cref="SafeHandle.Dispose()"/> of the context.</summary>
    internal bool TryMakeCurrent() => Driver.ContextSetCurrent(handle) == 0;

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        _disposed = true;
        base.Dispose(disposing);
    }

    /// <inheritdoc/>
    protected override bool ReleaseHandle() => Driver.DevicePrimaryContextRelease(_number) == 0;
}
