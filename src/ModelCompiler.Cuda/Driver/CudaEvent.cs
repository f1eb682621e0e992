namespace ModelCompiler.Cuda.Driver;

/// <summary>A mark in a stream: another stream or the host can wait for it.</summary>
public sealed class CudaEvent : CudaResource
{
    private CudaEvent(CudaContext context, nint cudaEvent)
        : base(context, cudaEvent)
    {
    }

    /// <summary>Creates an event.</summary>
    /// <param name="context">The context.</param>
    /// <param name="timing">Whether it takes the time, which costs a little.</param>
    /// <exception cref="CudaException">The driver failed.</exception>
    public static CudaEvent Create(CudaContext context, bool timing = false)
    {
        ArgumentNullException.ThrowIfNull(context);
        context.MakeCurrent();
        context.Driver.Check(context.Driver.EventCreate(out nint cudaEvent, timing), "cuEventCreate");
        return new CudaEvent(context, cudaEvent);
    }

    /// <summary>Waits until the work before the mark is done.</summary>
    /// <exception cref="CudaException">That work failed.</exception>
    public void Synchronize() => Driver.Check(Driver.EventSynchronize(Use()), "cuEventSynchronize");

    /// <summary>Milliseconds from this mark to a later one; both take the time and have been reached.</summary>
    /// <exception cref="CudaException">They do not, or have not.</exception>
    public float MillisecondsTo(CudaEvent later)
    {
        ArgumentNullException.ThrowIfNull(later);
        Driver.Check(Driver.EventElapsedTime(out float milliseconds, Use(), later.Use()), "cuEventElapsedTime");
        return milliseconds;
    }

    internal nint Handle() => Use();

    private protected override int Free() => Driver.EventDestroy(handle);
}
