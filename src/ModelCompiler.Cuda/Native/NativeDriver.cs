using System.Runtime.InteropServices;
using System.Text;

namespace ModelCompiler.Cuda.Native;

/// <summary>The installed driver.</summary>
internal sealed unsafe class NativeDriver : IDriver
{
    private const uint NonBlockingStream = 1;
    private const uint EventWithoutTiming = 2;

    /// <summary>Other threads may go on calling what would end a recording of theirs.</summary>
    private const int ThreadLocalCapture = 1;

    // Markers of cuLaunchKernel's "extra" array: one buffer with all arguments, and its size.
    private const nint EndOfExtra = 0;
    private const nint BufferPointer = 1;
    private const nint BufferSize = 2;

    public static NativeDriver Instance { get; } = new();

    public bool IsPresent => LibraryResolver.IsPresent(LibraryNames.Driver);

    public string ErrorName(int error) =>
        LibCuda.GetErrorName(error, out nint name) == 0 ? Marshal.PtrToStringUTF8(name)! : $"CUDA error {error}";

    public int Init() => LibCuda.Init(0);

    public int DriverGetVersion(out int version) => LibCuda.DriverGetVersion(out version);

    public int DeviceGetCount(out int count) => LibCuda.DeviceGetCount(out count);

    public int DeviceGet(out int device, int ordinal) => LibCuda.DeviceGet(out device, ordinal);

    public int DeviceGetName(out string name, int device)
    {
        Span<byte> text = stackalloc byte[256];
        text.Clear();
        fixed (byte* pointer = text)
        {
            int result = LibCuda.DeviceGetName(pointer, text.Length, device);
            name = Encoding.UTF8.GetString(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(pointer));
            return result;
        }
    }

    public int DeviceGetAttribute(out int value, DeviceAttribute attribute, int device) => LibCuda.DeviceGetAttribute(out value, (int)attribute, device);

    public int DeviceTotalMemory(out long bytes, int device)
    {
        int result = LibCuda.DeviceTotalMemory(out nuint total, device);
        bytes = (long)total;
        return result;
    }

    public int DevicePrimaryContextRetain(out nint context, int device) => LibCuda.DevicePrimaryContextRetain(out context, device);

    public int DevicePrimaryContextRelease(int device) => LibCuda.DevicePrimaryContextRelease(device);

    public int ContextSetCurrent(nint context) => LibCuda.ContextSetCurrent(context);

    public int ModuleLoadData(out nint module, ReadOnlySpan<byte> image)
    {
        fixed (byte* pointer = image)
        {
            return LibCuda.ModuleLoadData(out module, pointer);
        }
    }

    public int ModuleUnload(nint module) => LibCuda.ModuleUnload(module);

    public int ModuleGetFunction(out nint function, nint module, string name) => LibCuda.ModuleGetFunction(out function, module, name);

    public int LaunchKernel(nint function, in LaunchGeometry geometry, nint stream, ReadOnlySpan<byte> arguments)
    {
        fixed (byte* buffer = arguments)
        {
            nuint size = (nuint)arguments.Length;
            void** extra = stackalloc void*[] { (void*)BufferPointer, buffer, (void*)BufferSize, &size, (void*)EndOfExtra };
            return LibCuda.LaunchKernel(
                function,
                (uint)geometry.GridX, (uint)geometry.GridY, (uint)geometry.GridZ,
                (uint)geometry.BlockX, (uint)geometry.BlockY, (uint)geometry.BlockZ,
                (uint)geometry.SharedBytes, stream, null, extra);
        }
    }

    public int StreamCreate(out nint stream) => LibCuda.StreamCreate(out stream, NonBlockingStream);

    public int StreamDestroy(nint stream) => LibCuda.StreamDestroy(stream);

    public int StreamSynchronize(nint stream) => LibCuda.StreamSynchronize(stream);

    public int StreamWaitEvent(nint stream, nint cudaEvent) => LibCuda.StreamWaitEvent(stream, cudaEvent, 0);

    public int StreamBeginCapture(nint stream) => LibCuda.StreamBeginCapture(stream, ThreadLocalCapture);

    public int StreamEndCapture(nint stream, out nint graph) => LibCuda.StreamEndCapture(stream, out graph);

    public int GraphInstantiate(out nint executable, nint graph) => LibCuda.GraphInstantiate(out executable, graph, 0);

    public int GraphLaunch(nint executable, nint stream) => LibCuda.GraphLaunch(executable, stream);

    public int GraphDestroy(nint graph) => LibCuda.GraphDestroy(graph);

    public int GraphExecutableDestroy(nint executable) => LibCuda.GraphExecutableDestroy(executable);

    public int EventCreate(out nint cudaEvent, bool timing) => LibCuda.EventCreate(out cudaEvent, timing ? 0 : EventWithoutTiming);

    public int EventDestroy(nint cudaEvent) => LibCuda.EventDestroy(cudaEvent);

    public int EventRecord(nint cudaEvent, nint stream) => LibCuda.EventRecord(cudaEvent, stream);

    public int EventSynchronize(nint cudaEvent) => LibCuda.EventSynchronize(cudaEvent);

    public int EventElapsedTime(out float milliseconds, nint start, nint end) => LibCuda.EventElapsedTime(out milliseconds, start, end);

    public int MemoryAllocate(out nint address, long bytes) => LibCuda.MemoryAllocate(out address, (nuint)bytes);

    public int MemoryFree(nint address) => LibCuda.MemoryFree(address);

    public int MemoryHostAllocate(out nint address, long bytes) => LibCuda.MemoryHostAllocate(out address, (nuint)bytes, 0);

    public int MemoryFreeHost(nint address) => LibCuda.MemoryFreeHost(address);

    public int CopyHostToDevice(nint destination, nint source, long bytes, nint stream) => LibCuda.CopyHostToDevice(destination, source, (nuint)bytes, stream);

    public int CopyDeviceToHost(nint destination, nint source, long bytes, nint stream) => LibCuda.CopyDeviceToHost(destination, source, (nuint)bytes, stream);

    public int CopyDeviceToDevice(nint destination, nint source, long bytes, nint stream) => LibCuda.CopyDeviceToDevice(destination, source, (nuint)bytes, stream);

    public int SetRows(nint destination, long stride, byte value, long bytes, long rows, nint stream) =>
        LibCuda.SetRows(destination, (nuint)stride, value, (nuint)bytes, (nuint)rows, stream);

    public int SetBytes(nint destination, byte value, long bytes, nint stream) => LibCuda.SetBytes(destination, value, (nuint)bytes, stream);
}
