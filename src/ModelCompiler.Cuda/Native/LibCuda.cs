using System.Runtime.InteropServices;

namespace ModelCompiler.Cuda.Native;

/// <summary>Entry points of the driver, under the names that its library exports. Every one returns a CUresult, 0 for success.</summary>
internal static unsafe partial class LibCuda
{
    [LibraryImport(LibraryNames.Driver, EntryPoint = "cuInit")]
    public static partial int Init(uint flags);

    [LibraryImport(LibraryNames.Driver, EntryPoint = "cuDriverGetVersion")]
    public static partial int DriverGetVersion(out int version);

    [LibraryImport(LibraryNames.Driver, EntryPoint = "cuGetErrorName")]
    public static partial int GetErrorName(int error, out nint name);

    [LibraryImport(LibraryNames.Driver, EntryPoint = "cuDeviceGetCount")]
    public static partial int DeviceGetCount(out int count);

    [LibraryImport(LibraryNames.Driver, EntryPoint = "cuDeviceGet")]
    public static partial int DeviceGet(out int device, int ordinal);

    [LibraryImport(LibraryNames.Driver, EntryPoint = "cuDeviceGetName")]
    public static partial int DeviceGetName(byte* name, int length, int device);

    [LibraryImport(LibraryNames.Driver, EntryPoint = "cuDeviceGetAttribute")]
    public static partial int DeviceGetAttribute(out int value, int attribute, int device);

    [LibraryImport(LibraryNames.Driver, EntryPoint = "cuDeviceTotalMem_v2")]
    public static partial int DeviceTotalMemory(out nuint bytes, int device);

    [LibraryImport(LibraryNames.Driver, EntryPoint = "cuDevicePrimaryCtxRetain")]
    public static partial int DevicePrimaryContextRetain(out nint context, int device);

    [LibraryImport(LibraryNames.Driver, EntryPoint = "cuDevicePrimaryCtxRelease_v2")]
    public static partial int DevicePrimaryContextRelease(int device);

    [LibraryImport(LibraryNames.Driver, EntryPoint = "cuCtxSetCurrent")]
    public static partial int ContextSetCurrent(nint context);

    [LibraryImport(LibraryNames.Driver, EntryPoint = "cuModuleLoadData")]
    public static partial int ModuleLoadData(out nint module, byte* image);

    [LibraryImport(LibraryNames.Driver, EntryPoint = "cuModuleUnload")]
    public static partial int ModuleUnload(nint module);

    [LibraryImport(LibraryNames.Driver, EntryPoint = "cuModuleGetFunction", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int ModuleGetFunction(out nint function, nint module, string name);

    [LibraryImport(LibraryNames.Driver, EntryPoint = "cuLaunchKernel")]
    public static partial int LaunchKernel(
        nint function, uint gridX, uint gridY, uint gridZ, uint blockX, uint blockY, uint blockZ, uint sharedBytes, nint stream, void** parameters, void** extra);

    [LibraryImport(LibraryNames.Driver, EntryPoint = "cuStreamCreate")]
    public static partial int StreamCreate(out nint stream, uint flags);

    [LibraryImport(LibraryNames.Driver, EntryPoint = "cuStreamDestroy_v2")]
    public static partial int StreamDestroy(nint stream);

    [LibraryImport(LibraryNames.Driver, EntryPoint = "cuStreamSynchronize")]
    public static partial int StreamSynchronize(nint stream);

    [LibraryImport(LibraryNames.Driver, EntryPoint = "cuStreamWaitEvent")]
    public static partial int StreamWaitEvent(nint stream, nint cudaEvent, uint flags);

    [LibraryImport(LibraryNames.Driver, EntryPoint = "cuStreamBeginCapture_v2")]
    public static partial int StreamBeginCapture(nint stream, int mode);

    [LibraryImport(LibraryNames.Driver, EntryPoint = "cuStreamEndCapture")]
    public static partial int StreamEndCapture(nint stream, out nint graph);

    [LibraryImport(LibraryNames.Driver, EntryPoint = "cuGraphInstantiateWithFlags")]
    public static partial int GraphInstantiate(out nint executable, nint graph, ulong flags);

    [LibraryImport(LibraryNames.Driver, EntryPoint = "cuGraphLaunch")]
    public static partial int GraphLaunch(nint executable, nint stream);

    [LibraryImport(LibraryNames.Driver, EntryPoint = "cuGraphDestroy")]
    public static partial int GraphDestroy(nint graph);

    [LibraryImport(LibraryNames.Driver, EntryPoint = "cuGraphExecDestroy")]
    public static partial int GraphExecutableDestroy(nint executable);

    [LibraryImport(LibraryNames.Driver, EntryPoint = "cuEventCreate")]
    public static partial int EventCreate(out nint cudaEvent, uint flags);

    [LibraryImport(LibraryNames.Driver, EntryPoint = "cuEventDestroy_v2")]
    public static partial int EventDestroy(nint cudaEvent);

    [LibraryImport(LibraryNames.Driver, EntryPoint = "cuEventRecord")]
    public static partial int EventRecord(nint cudaEvent, nint stream);

    [LibraryImport(LibraryNames.Driver, EntryPoint = "cuEventSynchronize")]
    public static partial int EventSynchronize(nint cudaEvent);

    [LibraryImport(LibraryNames.Driver, EntryPoint = "cuEventElapsedTime")]
    public static partial int EventElapsedTime(out float milliseconds, nint start, nint end);

    [LibraryImport(LibraryNames.Driver, EntryPoint = "cuMemAlloc_v2")]
    public static partial int MemoryAllocate(out nint address, nuint bytes);

    [LibraryImport(LibraryNames.Driver, EntryPoint = "cuMemFree_v2")]
    public static partial int MemoryFree(nint address);

    [LibraryImport(LibraryNames.Driver, EntryPoint = "cuMemHostAlloc")]
    public static partial int MemoryHostAllocate(out nint address, nuint bytes, uint flags);

    [LibraryImport(LibraryNames.Driver, EntryPoint = "cuMemFreeHost")]
    public static partial int MemoryFreeHost(nint address);

    [LibraryImport(LibraryNames.Driver, EntryPoint = "cuMemcpyHtoDAsync_v2")]
    public static partial int CopyHostToDevice(nint destination, nint source, nuint bytes, nint stream);

    [LibraryImport(LibraryNames.Driver, EntryPoint = "cuMemcpyDtoHAsync_v2")]
    public static partial int CopyDeviceToHost(nint destination, nint source, nuint bytes, nint stream);

    [LibraryImport(LibraryNames.Driver, EntryPoint = "cuMemcpyDtoDAsync_v2")]
    public static partial int CopyDeviceToDevice(nint destination, nint source, nuint bytes, nint stream);

    [LibraryImport(LibraryNames.Driver, EntryPoint = "cuMemsetD2D8Async")]
    public static partial int SetRows(nint destination, nuint pitch, byte value, nuint width, nuint height, nint stream);

    [LibraryImport(LibraryNames.Driver, EntryPoint = "cuMemsetD8Async")]
    public static partial int SetBytes(nint destination, byte value, nuint bytes, nint stream);
}
