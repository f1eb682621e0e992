namespace ModelCompiler.Cuda.Native;

/// <summary>
/// The driver's entry points as this library calls them; each returns a CUresult. Between the P/Invokes and everything else, so that a
/// machine without a GPU can test what is called, with which values and in which order.
/// </summary>
internal unsafe interface IDriver
{
    /// <summary>Whether the driver's library can be loaded. Nothing else may be called where it cannot.</summary>
    bool IsPresent { get; }

    /// <summary>The name of a CUresult, such as CUDA_ERROR_OUT_OF_MEMORY.</summary>
    string ErrorName(int error);

    int Init();

    int DriverGetVersion(out int version);

    int DeviceGetCount(out int count);

    int DeviceGet(out int device, int ordinal);

    int DeviceGetName(out string name, int device);

    int DeviceGetAttribute(out int value, DeviceAttribute attribute, int device);

    int DeviceTotalMemory(out long bytes, int device);

    int DevicePrimaryContextRetain(out nint context, int device);

    int DevicePrimaryContextRelease(int device);

    int ContextSetCurrent(nint context);

    int ModuleLoadData(out nint module, ReadOnlySpan<byte> image);

    int ModuleUnload(nint module);

    int ModuleGetFunction(out nint function, nint module, string name);

    int LaunchKernel(nint function, in LaunchGeometry geometry, nint stream, ReadOnlySpan<byte> arguments);

    int StreamCreate(out nint stream);

    int StreamDestroy(nint stream);

    int StreamSynchronize(nint stream);

    int StreamWaitEvent(nint stream, nint cudaEvent);

    int StreamBeginCapture(nint stream);

    int StreamEndCapture(nint stream, out nint graph);

    int GraphInstantiate(out nint executable, nint graph);

    int GraphLaunch(nint executable, nint stream);

    int GraphDestroy(nint graph);

    int GraphExecutableDestroy(nint executable);

    int EventCreate(out nint cudaEvent, bool timing);

    int EventDestroy(nint cudaEvent);

    int EventRecord(nint cudaEvent, nint stream);

    int EventSynchronize(nint cudaEvent);

    int EventElapsedTime(out float milliseconds, nint start, nint end);

    int MemoryAllocate(out nint address, long bytes);

    int MemoryFree(nint address);

    int MemoryHostAllocate(out nint address, long bytes);

    int MemoryFreeHost(nint address);

    int CopyHostToDevice(nint destination, nint source, long bytes, nint stream);

    int CopyDeviceToHost(nint destination, nint source, long bytes, nint stream);

    int CopyDeviceToDevice(nint destination, nint source, long bytes, nint stream);

    int SetBytes(nint destination, byte value, long bytes, nint stream);

    int SetRows(nint destination, long stride, byte value, long bytes, long rows, nint stream);
}

/// <summary>The CUdevice_attribute values that are asked for.</summary>
internal enum DeviceAttribute
{
    MultiprocessorCount = 16,
    ComputeCapabilityMajor = 75,
    ComputeCapabilityMinor = 76,
}
