using ModelCompiler.Cuda.Native;

namespace ModelCompiler.Cuda.Driver;

/// <summary>A queue of work: what is put into it runs in order, beside what other streams run.</summary>
public sealed unsafe class CudaStream : CudaResource, IKernelLauncher
{
    private CudaStream(CudaContext context, nint stream)
        : base(context, stream)
    {
    }

    /// <summary>Creates a stream that does not wait for the default one.</summary>
    /// <exception cref="CudaException">The driver failed.</exception>
    public static CudaStream Create(CudaContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        context.MakeCurrent();
        context.Driver.Check(context.Driver.StreamCreate(out nint stream), "cuStreamCreate");
        return new CudaStream(context, stream);
    }

    /// <inheritdoc/>
    /// <exception cref="CudaException">The driver refused the launch.</exception>
    public void Launch(nint function, in LaunchGeometry geometry, ReadOnlySpan<byte> arguments)
    {
        geometry.Require();
        Driver.Check(Driver.LaunchKernel(function, geometry, Use(), arguments), "cuLaunchKernel");
    }

    /// <summary>Copies pinned memory to the device; returns before it is done.</summary>
    public void CopyToDevice(PinnedMemory source, long sourceOffset, DeviceMemory destination, long destinationOffset, long bytes)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(destination);
        CopyToDevice(source.Address(sourceOffset, bytes), destination.Address(destinationOffset, bytes), bytes);
    }

    /// <summary>Copies to the device and waits.</summary>
    public void CopyToDevice(ReadOnlySpan<byte> source, DeviceMemory destination, long destinationOffset)
    {
        ArgumentNullException.ThrowIfNull(destination);
        nint target = destination.Address(destinationOffset, source.Length);
        fixed (byte* pointer = source)
        {
            CopyToDevice((nint)pointer, target, source.Length);
            Synchronize();
        }
    }

    /// <summary>Copies from the device to pinned memory; returns before it is done.</summary>
    public void CopyToHost(DeviceMemory source, long sourceOffset, PinnedMemory destination, long destinationOffset, long bytes)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(destination);
        CopyToHost(source.Address(sourceOffset, bytes), destination.Address(destinationOffset, bytes), bytes);
    }

    /// <summary>Waits for the work so far and copies from the device.</summary>
    public void CopyToHost(DeviceMemory source, long sourceOffset, Span<byte> destination)
    {
        ArgumentNullException.ThrowIfNull(source);
        nint from = source.Address(sourceOffset, destination.Length);
        fixed (byte* pointer = destination)
        {
            CopyToHost(from, (nint)pointer, destination.Length);
            Synchronize();
        }
    }

    /// <summary>Copies within a device; returns before it is done.</summary>
    public void Copy(DeviceMemory source, long sourceOffset, DeviceMemory destination, long destinationOffset, long bytes)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(destination);
        nint from = source.Address(sourceOffset, bytes);
        nint to = destination.Address(destinationOffset, bytes);
        Driver.Check(Driver.CopyDeviceToDevice(to, from, bytes, Use()), "cuMemcpyDtoDAsync");
    }

    /// <summary>Sets bytes to 0; returns before it is done.</summary>
    public void Zero(DeviceMemory destination, long offset, long bytes)
    {
        ArgumentNullException.ThrowIfNull(destination);
        Driver.Check(Driver.SetBytes(destination.Address(offset, bytes), 0, bytes, Use()), "cuMemsetD8Async");
    }

    /// <summary>Sets some bytes of each of several rows to 0; returns before it is done.</summary>
    /// <param name="address">Device address of the first row's first byte.</param>
    /// <param name="stride">Bytes from one row to the next.</param>
    /// <param name="bytes">Bytes of each row.</param>
    /// <param name="rows">Number of rows.</param>
    internal void ZeroRows(nint address, long stride, long bytes, long rows)
    {
        if (rows == 1)
        {
            Driver.Check(Driver.SetBytes(address, 0, bytes, Use()), "cuMemsetD8Async");
        }
        else
        {
            Driver.Check(Driver.SetRows(address, stride, 0, bytes, rows, Use()), "cuMemsetD2D8Async");
        }
    }

    /// <summary>Starts a graph and may return before it is done.</summary>
    internal void Launch(CudaGraph graph) => Driver.Check(Driver.GraphLaunch(graph.Handle(), Use()), "cuGraphLaunch");

    /// <summary>From now on what is put in is recorded instead of run.</summary>
    internal void BeginCapture() => Driver.Check(Driver.StreamBeginCapture(Use()), "cuStreamBeginCapture");

    /// <summary>Ends recording; the CUgraph, which the caller destroys.</summary>
    internal nint EndCapture()
    {
        Driver.Check(Driver.StreamEndCapture(Use(), out nint graph), "cuStreamEndCapture");
        return graph;
    }

    /// <summary>Marks the end of the work so far.</summary>
    public void Record(CudaEvent mark)
    {
        ArgumentNullException.ThrowIfNull(mark);
        Driver.Check(Driver.EventRecord(mark.Handle(), Use()), "cuEventRecord");
    }

    /// <summary>What is put in from now on waits for a mark of another stream; the host does not.</summary>
    public void Wait(CudaEvent mark)
    {
        ArgumentNullException.ThrowIfNull(mark);
        Driver.Check(Driver.StreamWaitEvent(Use(), mark.Handle()), "cuStreamWaitEvent");
    }

    /// <summary>Waits until all work put in so far is done.</summary>
    /// <exception cref="CudaException">Some of it failed.</exception>
    public void Synchronize() => Driver.Check(Driver.StreamSynchronize(Use()), "cuStreamSynchronize");

    /// <summary>The CUstream, for a call that follows on this thread.</summary>
    internal nint Handle() => Use();

    private void CopyToDevice(nint source, nint destination, long bytes) =>
        Driver.Check(Driver.CopyHostToDevice(destination, source, bytes, Use()), "cuMemcpyHtoDAsync");

    private void CopyToHost(nint source, nint destination, long bytes) =>
        Driver.Check(Driver.CopyDeviceToHost(destination, source, bytes, Use()), "cuMemcpyDtoHAsync");

    private protected override int Free() => Driver.StreamDestroy(handle);
}
